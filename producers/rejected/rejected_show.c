#include "producers/rejected/rejected_verbs.h"

#include "common/calendar.h"
#include "producers/rejected/letter_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <yyjson.h>

struct show {
    const struct rejected *rejected;
    const char *key;
    bool found;
    int rc;
    struct error *err;
};

static void print_field(const char *name, struct text value)
{
    printf("%-10s", name);
    rejected_print(value, stdout);
    putchar('\n');
}

/* Indented when it is JSON, with every number as it was written; else as it is. */
static void print_value(struct text value)
{
    yyjson_doc *doc =
        value.at && value.len ? yyjson_read(value.at, value.len, YYJSON_READ_NUMBER_AS_RAW) : NULL;
    size_t len = 0;
    char *pretty = yyjson_write(doc, YYJSON_WRITE_PRETTY_TWO_SPACES, &len);
    printf("\nvalue, %zu bytes%s:\n", value.len, pretty ? "" : ", not JSON");
    rejected_print(pretty ? (struct text){pretty, len} : value, stdout);
    putchar('\n');
    free(pretty);
    yyjson_doc_free(doc);
}

static void print_headers(const struct record *record)
{
    if (record->header_count) {
        printf("\nheaders:\n");
    }
    for (size_t i = 0; i < record->header_count; i++) {
        printf("  ");
        rejected_print(record->headers[i].name, stdout);
        printf(": ");
        rejected_print(record->headers[i].value, stdout);
        putchar('\n');
    }
}

static void print_whole(const struct letter *letter)
{
    char time[32] = "-";
    if (letter->rejected_ms >= 0) {
        calendar_format_time(letter->rejected_ms, time);
    }
    print_field("rejected", text_of(time));
    print_field("reason", letter->reason);
    print_field("detail", letter->detail);
    printf("%-10stopic %.*s, partition %" PRId32 ", offset %" PRId64 "\n", "original",
           TEXT_ARG(letter->topic), letter->partition, letter->offset);
    if (letter->truncated.at) {
        print_field("cut", letter->truncated);
        printf("%-10sbytes that the original has; only a part of them was kept here\n", "");
    }
    print_field("key", letter->record.key.at ? letter->record.key : text_of("(none)"));
    print_headers(&letter->record);
    print_value(letter->record.value);
}

static int print_raw(const struct letter *letter, struct error *err)
{
    if (letter->truncated.at) {
        return error_set(err, ERROR_INPUT,
                         "only a part of this record was kept (%.*s); the original is offset "
                         "%" PRId64 " of partition %" PRId32 " of topic %.*s",
                         TEXT_ARG(letter->truncated), letter->offset, letter->partition,
                         TEXT_ARG(letter->topic));
    }
    fwrite(letter->record.value.at ? letter->record.value.at : "", 1, letter->record.value.len,
           stdout);
    return 0;
}

static int print_json(const struct letter *letter, struct error *err)
{
    json_t *json = letter_json(letter, true);
    if (!json) {
        return error_memory(err);
    }
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(json);
    return 0;
}

static bool on_letter(void *context, const struct letter *letter)
{
    struct show *show = context;
    if (!text_is(letter->key, show->key)) {
        return true;
    }
    show->found = true;
    if (show->rejected->words->raw) {
        show->rc = print_raw(letter, show->err);
    } else if (show->rejected->format != REJECTED_TABLE) {
        show->rc = print_json(letter, show->err);
    } else {
        print_whole(letter);
    }
    return false;
}

int rejected_show(const struct rejected *rejected, const char *key, struct error *err)
{
    struct show show = {.rejected = rejected, .key = key, .err = err};
    int rc = letters_read(rejected->config, rejected->filter, on_letter, &show, NULL, err);
    rc = rc ? rc : show.rc;
    if (!rc && !show.found) {
        rc = error_set(err, ERROR_INPUT, "%s: no such letter in %s", key,
                       rejected->config->topics_rejected);
    }
    return rc ? 1 : 0;
}
