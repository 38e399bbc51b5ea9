#include "support/metrics_page.hpp"

#include <algorithm>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace millrace::testing {

MetricsPage::MetricsPage(std::string text) : text_{std::move(text)} {
    static const std::regex comment{R"(# (HELP|TYPE) ([a-z_]+) (.+))"};
    std::istringstream lines{text_};
    for (std::string line; std::getline(lines, line);) {
        std::smatch parts;
        if (!std::regex_match(line, parts, comment)) {
            take_sample(line);
        } else if (auto& all = parts[1] == "HELP" ? helps_ : types_; !all.emplace(parts[2], parts[3]).second) {
            throw std::runtime_error{"twice: " + line};
        }
    }
}

void MetricsPage::take_sample(const std::string& line) {
    static const std::regex form{R"(([a-z_]+)((\{[^{}]*\})?) ([0-9.e+-]+))"};
    std::smatch parts;
    if (!std::regex_match(line, parts, form)) throw std::runtime_error{"not a sample: " + line};
    const auto series = parts[1].str() + parts[2].str();
    const auto is_same = [&](const auto& sample) { return sample.first == series; };
    if (std::any_of(samples_.begin(), samples_.end(), is_same)) throw std::runtime_error{"twice: " + line};
    samples_.emplace_back(series, std::stod(parts[4].str()));
    if (!is_explained(parts[1].str())) unexplained_.push_back(series);
}

bool MetricsPage::is_explained(const std::string& name) const {
    static const std::regex part_of_histogram{"_(bucket|sum|count)$"};
    const auto stem = std::regex_replace(name, part_of_histogram, "");
    const auto of_stem = types_.find(stem);
    const auto& family = of_stem != types_.end() && of_stem->second == "histogram" ? stem : name;
    return types_.count(family) != 0 && helps_.count(family) != 0;
}

double MetricsPage::value(const std::string& series) const {
    for (const auto& [name, value] : samples_)
        if (name == series) return value;
    throw std::out_of_range{"no " + series + " in:\n" + text_};
}

double MetricsPage::sum_of(const std::string& name) const {
    double sum = 0;
    for (const auto& [series, value] : samples_)
        if (series.starts_with(name + "{")) sum += value;
    return sum;
}

std::vector<double> MetricsPage::buckets_of(const std::string& histogram) const {
    std::vector<double> buckets;
    for (const auto& [series, value] : samples_)
        if (series.starts_with(histogram + "_bucket{")) buckets.push_back(value);
    return buckets;
}

}  // namespace millrace::testing
