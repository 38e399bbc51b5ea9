#include "ops/dashboard_parts.hpp"

namespace millrace::ops {
namespace {

constexpr std::size_t most_error_bytes = 400;

Html form_secret_of(const Visitor& visitor) {
    Html field;
    field.markup("<input type=\"hidden\" name=\"form_secret\" value=\"").text(visitor.form_secret).markup("\">");
    return field;
}

Html header_for(const Visitor& visitor) {
    Html header;
    header.markup(
        "<header><nav aria-label=\"Pages\"><a href=\"/dashboard\">Overview</a> <a href=\"/dashboard/workers\">Workers"
        "</a> <a href=\"/dashboard/schedules\">Schedules</a></nav>");
    if (visitor.may_change()) {
        header.markup("<form method=\"post\" action=\"/dashboard/logout\">")
            .html(form_secret_of(visitor))
            .markup("<button>Log out</button></form>");
    }
    return header.markup("</header>\n");
}

}  // namespace

std::string framed(std::string_view title, const Html& content, const Visitor& visitor, Renewal renewal) {
    Html page;
    page.markup(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">");
    if (renewal == Renewal::by_itself) page.markup("<meta http-equiv=\"refresh\" content=\"30\">");
    page.markup("<link rel=\"stylesheet\" href=\"/dashboard/style.css\"><title>")
        .text(title)
        .markup(" - millrace</title></head>\n<body>")
        .html(header_for(visitor))
        .markup("<main><h1>")
        .text(title)
        .markup("</h1>\n")
        .html(content)
        .markup("</main></body></html>\n");
    return page.written();
}

HtmlTable::HtmlTable(Markup caption, std::initializer_list<Column> columns) {
    // A region of its own, which keys can scroll: on a small screen the table moves, and not the page.
    head_.markup("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"")
        .markup(caption)
        .markup("\"><table><caption>")
        .markup(caption)
        .markup("</caption><thead><tr>");
    for (const auto& column : columns) {
        if (column.kind == Column::Kind::number) {
            head_.markup("<th scope=\"col\" class=\"number\">");
        } else {
            head_.markup("<th scope=\"col\">");
        }
        head_.markup(column.title).markup("</th>");
    }
    head_.markup("</tr></thead>\n<tbody>");
}

void HtmlTable::begin_row() {
    rows_.markup("<tr>");
}

void HtmlTable::add(const Html& cell) {
    rows_.markup("<td>").html(cell).markup("</td>");
}

void HtmlTable::add_number(std::int64_t number) {
    rows_.markup("<td class=\"number\">").number(number).markup("</td>");
}

void HtmlTable::add_error(std::string_view text) {
    rows_.markup("<td class=\"error\">").text(text, most_error_bytes).markup("</td>");
}

Html HtmlTable::written(Markup none) const {
    Html table;
    if (rows_.is_empty()) return table.markup("<p>").markup(none).markup("</p>\n");
    return table.html(head_).html(rows_).markup("</tbody></table></div>\n");
}

Facts& Facts::add(Markup name, const Html& value) {
    facts_.markup("<dt>").markup(name).markup("</dt><dd>").html(value).markup("</dd>\n");
    return *this;
}

Facts& Facts::add_if(Markup name, const std::optional<std::string>& text) {
    return text ? add(name, *text) : *this;
}

Html Facts::written() const {
    return Html{}.markup("<dl>").html(facts_).markup("</dl>\n");
}

Html link_to_queue(const std::string& name) {
    return Html{}.markup("<a href=\"/dashboard/queues/").text(name).markup("\">").text(name).markup("</a>");
}

Html link_to_job(core::JobId id) {
    return Html{}.markup("<a href=\"/dashboard/jobs/").number(id.value).markup("\">").number(id.value).markup("</a>");
}

Html toned(Markup tone, std::string_view word) {
    return Html{}.markup("<strong class=\"").markup(tone).markup("\">").text(word).markup("</strong>");
}

Html button(const Visitor& visitor, Markup action, std::string_view of, Markup label) {
    Html form;
    if (!visitor.may_change()) return form;
    return form.markup("<form method=\"post\" action=\"/dashboard/act\">")
        .html(form_secret_of(visitor))
        .markup("<input type=\"hidden\" name=\"action\" value=\"")
        .markup(action)
        .markup("\"><input type=\"hidden\" name=\"of\" value=\"")
        .text(of)
        .markup("\"><button aria-label=\"")
        .markup(label)
        .markup(": ")
        .text(of)
        .markup("\">")
        .markup(label)
        .markup("</button></form>");
}

Html guarded_button(const Visitor& visitor, Markup action, std::string_view of, Markup label) {
    Html details;
    if (!visitor.may_change()) return details;
    return details.markup("<details><summary>")
        .markup(label)
        .markup(" ...</summary>")
        .html(button(visitor, action, of, label))
        .markup("</details>");
}

}  // namespace millrace::ops
