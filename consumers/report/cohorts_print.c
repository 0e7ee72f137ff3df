#include "consumers/report/cohorts_print.h"

#include "common/calendar.h"
#include "common/money.h"
#include "consumers/comparison/metrics.h"
#include "consumers/report/html.h"

#include <inttypes.h>

enum { BLOCK = 12, MONTH = 15, CUSTOMERS = 13, SHARE = 4 };

static const char *const titles[LANGUAGES] = {"Customers by the month of their first purchase",
                                              "Clienți după luna primei cumpărări"};
static const char *const notes[LANGUAGES] = {
    "Share of them, in %, who bought so many months later.",
    "Ponderea lor, în %, care au cumpărat după atâtea luni."};
static const char *const heads[LANGUAGES][2] = {{"First purchase", "customers"},
                                                {"Prima cumpărare", "clienți"}};

/* What is printed, and where. */
struct printer {
    FILE *out;
    const struct cohorts *cohorts;
    const char *business;
    enum language language;
    int last, columns;
};

/* "2026-03" */
static char *month_name(int month, char out[11])
{
    calendar_format_date(customer_month_day(month), out);
    out[7] = '\0';
    return out;
}

static char *number(const struct printer *p, int64_t value, char out[WORDS_MAX])
{
    char plain[24];
    snprintf(plain, sizeof plain, "%" PRId64, value);
    return words_number(p->language, plain, out);
}

static int64_t size_of(const struct printer *p, int month)
{
    return cohorts_at(p->cohorts, month, 0);
}

/* In units of which `scale` are the whole, half away from zero. */
static int64_t share(const struct printer *p, int month, int since, int64_t scale)
{
    return money_divide(cohorts_at(p->cohorts, month, since) * scale, size_of(p, month));
}

/* The next month with a first purchase after `month`; -1 when there is none. */
static int next_row(const struct printer *p, int month)
{
    for (month = month < 0 ? cohorts_first(p->cohorts) : month + 1; month <= p->last; month++) {
        if (size_of(p, month) > 0) {
            return month;
        }
    }
    return -1;
}

static void pad(FILE *out, const char *text, int width)
{
    int taken = (int)words_width(text);
    fprintf(out, "%s%*s", text, taken < width ? width - taken : 0, "");
}

static void pad_left(FILE *out, const char *text, int width)
{
    int taken = (int)words_width(text);
    fprintf(out, "%*s%s", taken < width ? width - taken : 0, "", text);
}

/* Months since, from `from` on: at most twelve side by side. */
static void draw_block(const struct printer *p, int from)
{
    int to = from + BLOCK < p->columns ? from + BLOCK : p->columns;
    char text[WORDS_MAX], name[11];
    pad(p->out, heads[p->language][0], MONTH);
    pad_left(p->out, heads[p->language][1], CUSTOMERS);
    for (int since = from; since < to; since++) {
        fprintf(p->out, "%*d", SHARE, since);
    }
    fputc('\n', p->out);
    for (int month = next_row(p, -1); month >= 0 && month + from <= p->last;
         month = next_row(p, month)) {
        pad(p->out, month_name(month, name), MONTH);
        pad_left(p->out, number(p, size_of(p, month), text), CUSTOMERS);
        for (int since = from; since < to && month + since <= p->last; since++) {
            fprintf(p->out, "%*" PRId64, SHARE, share(p, month, since, 100));
        }
        fputc('\n', p->out);
    }
}

static void print_table(const struct printer *p)
{
    fprintf(p->out, "%s\n%s\n%s\n", titles[p->language], p->business, notes[p->language]);
    for (int from = 0; from < p->columns; from += BLOCK) {
        fputc('\n', p->out);
        draw_block(p, from);
    }
}

static void print_markdown(const struct printer *p)
{
    char text[WORDS_MAX], name[11];
    fprintf(p->out, "# %s\n\n%s\n\n%s\n\n| %s | %s |", titles[p->language], p->business,
            notes[p->language], heads[p->language][0], heads[p->language][1]);
    for (int since = 0; since < p->columns; since++) {
        fprintf(p->out, " %d |", since);
    }
    fputs("\n| --- | ---: |", p->out);
    for (int since = 0; since < p->columns; since++) {
        fputs(" ---: |", p->out);
    }
    fputc('\n', p->out);
    for (int month = next_row(p, -1); month >= 0; month = next_row(p, month)) {
        fprintf(p->out, "| %s | %s |", month_name(month, name), number(p, size_of(p, month), text));
        for (int since = 0; since < p->columns; since++) {
            if (month + since <= p->last) {
                fprintf(p->out, " %" PRId64 " |", share(p, month, since, 100));
            } else {
                fputs(" |", p->out);
            }
        }
        fputc('\n', p->out);
    }
}

static void print_csv(const struct printer *p)
{
    char first[11], month_at[11], percent[40];
    fputs("business,first_month,months_since,month,customers,retained,retained_pct\n", p->out);
    for (int month = next_row(p, -1); month >= 0; month = next_row(p, month)) {
        for (int since = 0; month + since <= p->last; since++) {
            fprintf(p->out, "%s,%s,%d,%s,%" PRId64 ",%" PRId64 ",%s\n", p->business,
                    month_name(month, first), since, month_name(month + since, month_at),
                    size_of(p, month), cohorts_at(p->cohorts, month, since),
                    metric_format_hundredths(share(p, month, since, 10000), percent));
        }
    }
}

static void print_json_row(const struct printer *p, int month)
{
    char name[11], percent[40];
    fprintf(p->out, "{\"first_month\":\"%s\",\"customers\":%" PRId64 ",\"retained\":[",
            month_name(month, name), size_of(p, month));
    for (int since = 0; month + since <= p->last; since++) {
        fprintf(p->out, "%s%" PRId64, since ? "," : "", cohorts_at(p->cohorts, month, since));
    }
    fputs("],\"retained_pct\":[", p->out);
    for (int since = 0; month + since <= p->last; since++) {
        fprintf(p->out, "%s%s", since ? "," : "",
                metric_format_hundredths(share(p, month, since, 10000), percent));
    }
    fputs("]}", p->out);
}

static void print_json(const struct printer *p)
{
    char last[11];
    fprintf(p->out,
            "{\"title\":\"%s\",\"language\":\"%s\",\"business\":\"%s\",\"last_month\":\"%s\","
            "\"customers\":%" PRId64 ",\"cohorts\":[",
            titles[p->language], language_code(p->language), p->business, month_name(p->last, last),
            cohorts_customers(p->cohorts));
    for (int month = next_row(p, -1), i = 0; month >= 0; month = next_row(p, month), i++) {
        fputs(i ? "," : "", p->out);
        print_json_row(p, month);
    }
    fputs("]}\n", p->out);
}

static void print_html_row(const struct printer *p, int month)
{
    char text[WORDS_MAX], name[11];
    fputs("<tr>", p->out);
    html_element(p->out, "th", "", month_name(month, name));
    html_element(p->out, "td", "number", number(p, size_of(p, month), text));
    for (int since = 0; month + since <= p->last; since++) {
        fprintf(p->out, "<td class=\"number\">%" PRId64 "</td>", share(p, month, since, 100));
    }
    fputs("</tr>\n", p->out);
}

static void print_html(const struct printer *p)
{
    html_begin(p->out, language_code(p->language), titles[p->language]);
    html_element(p->out, "h1", "", titles[p->language]);
    html_element(p->out, "p", "soft", p->business);
    html_element(p->out, "p", "note", notes[p->language]);
    fputs("<table>\n<tr>", p->out);
    html_element(p->out, "th", "", heads[p->language][0]);
    html_element(p->out, "th", "number", heads[p->language][1]);
    for (int since = 0; since < p->columns; since++) {
        fprintf(p->out, "<th class=\"number\">%d</th>", since);
    }
    fputs("</tr>\n", p->out);
    for (int month = next_row(p, -1); month >= 0; month = next_row(p, month)) {
        print_html_row(p, month);
    }
    fputs("</table>\n", p->out);
    html_end(p->out);
}

void cohorts_print(FILE *out, enum render_format format, const struct cohorts *cohorts,
                   const char *business, enum language language)
{
    struct printer p = {out, cohorts, business, language, cohorts_last(cohorts), 0};
    p.columns = p.last - cohorts_first(cohorts) + 1;
    switch (format) {
    case RENDER_TABLE:
        print_table(&p);
        break;
    case RENDER_JSON:
        print_json(&p);
        break;
    case RENDER_CSV:
        print_csv(&p);
        break;
    case RENDER_MARKDOWN:
        print_markdown(&p);
        break;
    case RENDER_HTML:
        print_html(&p);
        break;
    }
}
