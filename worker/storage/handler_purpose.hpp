#pragma once
// The purpose of sessions in which transactional handlers run. Such a session may idle in a transaction for as long as
// its handler waits for somebody else, whatever limit the database or the role sets (session.cpp): who is cut off after
// an effect outside has it a second time.

namespace millrace::storage {

inline constexpr auto handler_purpose = "handler";

}  // namespace millrace::storage
