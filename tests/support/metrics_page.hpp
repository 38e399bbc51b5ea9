#pragma once
// What /metrics answered, to be asked for single numbers. Strict: a line that is not of the Prometheus text format, or
// a series that is there twice, throws std::runtime_error.
//
// Thread rule: one thread.

#include <map>
#include <string>
#include <vector>

namespace millrace::testing {

class MetricsPage {
public:
    explicit MetricsPage(std::string text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    // Of `name{label="value",…}` as it stands on the page; throws std::out_of_range when there is none.
    [[nodiscard]] double value(const std::string& series) const;
    [[nodiscard]] bool has(const std::string& family) const { return types_.count(family) != 0; }
    [[nodiscard]] double sum_of(const std::string& name) const;                        // of all series of that name
    [[nodiscard]] std::vector<double> buckets_of(const std::string& histogram) const;  // as they stand on the page
    [[nodiscard]] const std::map<std::string, std::string>& types() const noexcept { return types_; }  // by family
    // Series before which neither HELP nor TYPE of their family stands, or only one of them.
    [[nodiscard]] const std::vector<std::string>& unexplained() const noexcept { return unexplained_; }

private:
    void take_sample(const std::string& line);
    [[nodiscard]] bool is_explained(const std::string& name) const;

    std::string text_;
    std::vector<std::pair<std::string, double>> samples_;
    std::map<std::string, std::string> helps_;
    std::map<std::string, std::string> types_;
    std::vector<std::string> unexplained_;
};

}  // namespace millrace::testing
