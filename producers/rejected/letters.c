#include "producers/rejected/letters.h"

#include "common/scan.h"
#include "producers/known.h"
#include "producers/progress.h"

struct reading {
    struct letters_filter filter;
    letters_take *take;
    void *context;
    struct known *keys; /* of the letters met so far */
    int64_t foreign;
    struct progress progress;
    int rc;
    struct error *err;
};

static bool passes(const struct letters_filter *filter, const struct letter *letter)
{
    if (filter->reason && !text_is(letter->reason, filter->reason)) {
        return false;
    }
    return filter->since_ms == LETTERS_ALWAYS || letter->rejected_ms >= filter->since_ms;
}

static bool on_record(void *context, const struct record *record)
{
    struct reading *reading = context;
    struct letter letter;
    if (!letter_read(record, &letter)) {
        reading->foreign++;
        return true;
    }
    XXH128_hash_t key = XXH3_128bits(letter.key.at, letter.key.len);
    if (known_has(reading->keys, key)) {
        return true;
    }
    reading->rc = known_add(reading->keys, key, reading->err);
    if (reading->rc) {
        return false;
    }
    return !passes(&reading->filter, &letter) || reading->take(reading->context, &letter);
}

static void on_tick(void *context, struct scan_progress at)
{
    struct reading *reading = context;
    if (progress_due(&reading->progress)) {
        progress_show(&reading->progress, "reading rejected records: %lld %%",
                      at.total > 0 ? (long long)(at.done * 100 / at.total) : 100LL);
    }
}

int letters_read(const struct config *config, struct letters_filter filter, letters_take *take,
                 void *context, int64_t *foreign, struct error *err)
{
    struct reading reading = {.filter = filter, .take = take, .context = context, .err = err};
    progress_start(&reading.progress, true);
    int rc = known_empty(&reading.keys, err);
    if (!rc) {
        rc = scan_topic(config, config->topics_rejected, on_record, on_tick, &reading, err);
    }
    progress_clear(&reading.progress);
    known_free(reading.keys);
    if (foreign) {
        *foreign = reading.foreign;
    }
    return rc ? rc : reading.rc;
}
