#include "storage/notify_people.hpp"

#include "storage/translation.hpp"

namespace millrace::storage {

std::vector<Suppression> NotifyPeople::suppressions(int max_rows) {
    constexpr auto statement =
        "select address, reason, suppressed_at::text from notify.suppressions"
        " order by suppressed_at desc, address limit $1";
    std::vector<Suppression> suppressions;
    for (const auto& row : execute(session_, statement, max_rows)) {
        suppressions.push_back({row[0].c_str(), row[1].c_str(), row[2].c_str()});
    }
    return suppressions;
}

bool NotifyPeople::suppress(const std::string& address, const std::string& reason) {
    constexpr auto statement = "select notify.suppress(address => $1, reason => $2)";
    return execute(session_, statement, address, reason).at(0).at(0).as<bool>();
}

bool NotifyPeople::unsuppress(const std::string& address) {
    return execute(session_, "select notify.unsuppress(address => $1)", address).at(0).at(0).as<bool>();
}

int NotifyPeople::erase(const std::string& username, Erasure how) {
    constexpr auto statement = "select notify.erase_user(username => $1, dry_run => $2)";
    return execute(session_, statement, username, how == Erasure::count).at(0).at(0).as<int>();
}

}  // namespace millrace::storage
