// A settings file as a person wrote it, whatever that is. The first byte decides whether others may read it.
//
// Property: it is refused in a line that names the file, or every setting is within its limits; a file that others may
// read gives no password.

#include "fuzz/input.hpp"
#include "fuzz/settings_reader.hpp"

namespace millrace::fuzz {

void try_input(std::string_view bytes) {
    if (!names_no_device(bytes)) return;
    const bool is_shared = take_byte(bytes) % 2 == 1;
    const SettingsFile file{bytes, is_shared ? 0644U : 0600U};
    const auto reading = read_settings({"worker", "--config", file.path()});
    if (const auto* refused = std::get_if<Refused>(&reading)) {
        require(refused->text.starts_with(file.path() + ":"), "a refusal names the file", refused->text);
        require_fit_complaint(refused->text);
        return;
    }
    const auto& options = std::get<Options>(reading);
    require_sound(options);
    if (!is_shared) return;
    const bool has_password_file = bytes.find("password_file") != bytes.npos;
    require(has_password_file || !options.smtp || options.smtp->password.empty(), "others read no password");
    require_no_password(options);
}

}  // namespace millrace::fuzz
