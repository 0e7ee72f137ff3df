/* import_fuzz - a mapping, a zero byte, and rows. What import makes of them is judged as a worker
 * judges it before it is sent; what is good then is still the same event. Rows end with a line
 * feed, fields with a comma; how they are quoted is table_fuzz's. */
#include "fuzz.h"
#include "producers/import/draft.h"
#include "producers/import/drafter.h"

enum { FIELDS_MAX = 64 };

static struct decoder *decoder;

static bool on_event(void *context, struct event *event, uint64_t line)
{
    static char out[EVENT_BYTES_MAX];
    struct event again;
    struct rejection why;
    struct record record = {.timestamp_ms = -1};
    (void)context;
    (void)line;
    size_t len = event_encode(event, "tandem.", out, sizeof out - 1024);
    if (len == 0) {
        return true; /* too large: import refuses it */
    }
    record.value = (struct text){out, len};
    if (decoder_decode(decoder, &record, SIDES, &again, &why) == VERDICT_VALID &&
        (again.type != event->type || again.time_ms != event->time_ms ||
         !XXH128_isEqual(event_hash(&again), event_hash(event)))) {
        abort();
    }
    return true;
}

static bool on_refused(void *context, const struct refusal *refusal)
{
    (void)context;
    return refusal->line_count > 0 || (abort(), false);
}

static const char *next_row(const char *at, struct row *row, struct text *fields)
{
    const char *end = at + strcspn(at, "\n");
    row->line++;
    row->fields = fields;
    row->count = 0;
    while (row->count < FIELDS_MAX) {
        size_t len = strcspn(at, ",\n");
        fields[row->count++] = (struct text){at, len};
        at += len + 1;
        if (at > end) {
            break;
        }
    }
    return *end ? end + 1 : end;
}

static void draft(const struct mapping *mapping, const struct zone *zone, const char *rows,
                  bool neighbours)
{
    struct text fields[FIELDS_MAX];
    struct row row = {0};
    struct drafter *drafter = NULL;
    struct error err;
    const struct drafter_sink sink = {NULL, on_event, on_refused};
    rows = next_row(rows, &row, fields);
    if (drafter_open(&drafter, mapping, zone, &row, neighbours, &sink, &err) != 0) {
        return;
    }
    while (*rows) {
        rows = next_row(rows, &row, fields);
        drafter_row(drafter, &row);
    }
    drafter_end(drafter);
    drafter_free(drafter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zone *zone;
    struct mapping *mapping = NULL;
    struct mistakes *mistakes = mistakes_open();
    struct error err;
    if (!zone && (zone_open(&zone, "Europe/Bucharest", &err) != 0 ||
                  decoder_open(&decoder, "tandem.", &err) != 0)) {
        abort();
    }
    char *text = fuzz_string(data, size);
    size_t len = strlen(text);
    if (len < size && mapping_parse(&mapping, text, len, mistakes, &err) == 0) {
        draft(mapping, zone, text + len + 1, size % 2 == 0);
        mapping_free(mapping);
    }
    mistakes_free(mistakes);
    free(text);
    return 0;
}
