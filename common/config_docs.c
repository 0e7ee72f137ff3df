/* The settings as a page: docs/settings.md is this function's output. */
#include "common/config.h"

#include <ctype.h>
#include <string.h>

static const char intro[] =
    "# Settings\n"
    "\n"
    "<!-- Made by `tandem settings --markdown` from the table in common/config.h. -->\n"
    "\n"
    "Every command takes its settings from four places; of two that name the same key, the one\n"
    "further down counts:\n"
    "\n"
    "1. the default,\n"
    "2. a properties file, `-F tandem.conf`: lines `key=value`; `#` begins a comment line,\n"
    "3. the environment: `TANDEM_` and the key in capitals with `_` for `.`\n"
    "   (`TANDEM_FLUSH_MS=50`); an empty variable counts as absent,\n"
    "4. an option: `--flush-ms 50`, `--flush-ms=50` or `-X flush.ms=50`.\n"
    "\n"
    "An unknown key or a bad value ends the command with status 2 and names the key and where it\n"
    "stood. A variable `TANDEM_...` that names no setting is only warned about. `tandem settings`\n"
    "prints what is in force, as a properties file, with passwords masked.\n"
    "\n";

static const char kafka[] =
    "\n"
    "## Settings of librdkafka\n"
    "\n"
    "`kafka.<name>` goes to librdkafka as it is, as with `kcat -X`: `kafka.security.protocol=ssl`\n"
    "in a file, `TANDEM_KAFKA_SECURITY_PROTOCOL=ssl`, or `-X kafka.security.protocol=ssl`. Some\n"
    "are fixed, because the promise that every event counts exactly once hangs on them; naming\n"
    "one of those is an error that says why. `kafka.<name>.file` names a file that holds the\n"
    "value, as `kafka.sasl.password.file`. Passwords are refused on the command line; security.md\n"
    "beside this page says more. A cluster that collects its clients' metrics (KIP-714) gets\n"
    "them with `kafka.enable.metrics.push=true`; every command may then take a second longer to\n"
    "end.\n";

/* A `|` would end the cell. */
static void write_cell(FILE *out, const char *text)
{
    for (; *text; text++) {
        fprintf(out, *text == '|' ? "\\|" : "%c", *text);
    }
}

static void write_values(FILE *out, const struct config_setting *setting)
{
    if (strcmp(setting->kind, "INT") == 0) {
        fprintf(out, "%lld..%lld", (long long)setting->min, (long long)setting->max);
    } else if (strcmp(setting->kind, "BOOL") == 0) {
        fprintf(out, "true, false");
    } else {
        write_cell(out, setting->word);
    }
}

void config_write_docs(FILE *out)
{
    fputs(intro, out);
    fprintf(out, "| key | default | values | what it is |\n|---|---|---|---|\n");
    for (const struct config_setting *at = config_settings(); at->key; at++) {
        fprintf(out, "| `%s` | ", at->key);
        if (at->fallback[0]) {
            fprintf(out, "`%s`", at->fallback);
        }
        fprintf(out, " | ");
        write_values(out, at);
        fprintf(out, " | ");
        write_cell(out, at->help);
        fprintf(out, " |\n");
    }
    fputs(kafka, out);
}
