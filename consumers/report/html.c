#include "consumers/report/html.h"

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1b2430;--soft:#5a6675;--line:#d9dee5;--fill:#3566c4;"
    "--good:#1d7a46;--bad:#b3261e;--back:#fff;--track:#e9edf2}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#a3afbd;--line:#36404c;"
    "--fill:#7aa2f0;--good:#5cc98b;--bad:#f2857d;--back:#14181d;--track:#2a323b}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);"
    "max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
    "h1{font-size:1.3rem;margin:0}h2{font-size:1rem;margin:2rem 0 .5rem}p{margin:.3rem 0}\n"
    ".soft,.note{color:var(--soft)}.verdict{font-size:1.2rem;font-weight:600;margin:1.2rem 0 .2rem;"
    "padding-left:.7rem;border-left:.35rem solid var(--soft)}\n"
    ".ok{border-color:var(--good)}.notice{border-color:var(--fill)}.warning{border-color:#c77700}"
    ".critical{border-color:var(--bad)}\n"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.35rem .6rem;border-bottom:1px solid var(--line)}\n"
    "td b,.number{font-variant-numeric:tabular-nums}.number{text-align:right}\n"
    "td p{display:flex;justify-content:space-between;gap:1rem;margin:0}\n"
    "svg{display:block;width:100%;height:1rem}.track{fill:var(--track)}.plain{fill:var(--fill)}"
    ".good{fill:var(--good)}.bad{fill:var(--bad)}.mark{fill:var(--ink)}\n"
    ".picture td:nth-child(2){width:50%}pre{white-space:pre-wrap}\n"
    "@media print{body{margin:0}}\n";

void html_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

void html_element(FILE *out, const char *tag, const char *class, const char *text)
{
    fprintf(out, *class ? "<%s class=\"%s\">" : "<%s>", tag, class);
    html_text(out, text);
    fprintf(out, "</%s>\n", tag);
}

void html_begin(FILE *out, const char *language, const char *title)
{
    fprintf(out,
            "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" "
            "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
            language);
    html_element(out, "title", "", title);
    fprintf(out, "<style>\n%s</style>\n</head>\n<body>\n", style);
}

void html_end(FILE *out)
{
    fputs("</body>\n</html>\n", out);
}
