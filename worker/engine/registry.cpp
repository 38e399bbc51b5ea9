#include "engine/registry.hpp"

#include "core/check.hpp"

#include <algorithm>

namespace millrace::engine {

void Registry::add(const std::string& kind, std::unique_ptr<Handler> handler) {
    CHECK(handler != nullptr);
    CHECK(entries_.try_emplace(kind, std::move(handler)).second);
}

void Registry::add(const std::string& kind, std::unique_ptr<TransactionalHandler> handler) {
    CHECK(handler != nullptr);
    CHECK(entries_.try_emplace(kind, std::move(handler)).second);
}

void Registry::add_unavailable(const std::string& kind, std::string reason) {
    CHECK(entries_.try_emplace(kind, Unavailable{std::move(reason)}).second);
}

const Registry::Entry* Registry::find(const std::string& kind) const {
    const auto found = entries_.find(kind);
    return found == entries_.end() ? nullptr : &found->second;
}

std::vector<std::string> Registry::kinds() const {
    std::vector<std::string> names;
    names.reserve(entries_.size());
    for (const auto& [kind, entry] : entries_)
        names.push_back(kind);
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> Registry::handled_kinds() const {
    auto names = kinds();
    std::erase_if(names, [&](const auto& kind) { return std::holds_alternative<Unavailable>(entries_.at(kind)); });
    return names;
}

}  // namespace millrace::engine
