#include "consumers/worker/fold.h"

#include "common/calendar.h"

const char *const fold_record_fields[] = {
    "rejected_not_cloudevent", "rejected_format_unsupported", "rejected_too_large",
    "rejected_bad_json", "rejected_duplicate_key", "rejected_missing_field", "rejected_bad_field",
    "rejected_data_missing", "rejected_amount_range", "rejected_amount_mismatch",
    "rejected_currency_unknown", "rejected_time_future", "rejected_subject_mismatch",
    "rejected_version_unsupported", "rejected_wrong_topic", "duplicates", "ignored", "tombstones",
    "misplaced", "before_floor", NULL,
};

/* Epoch milliseconds to whole seconds, also before 1970. */
static int64_t floor_s(int64_t ms)
{
    return ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
}

static int32_t local_hour(const struct zone *zone, int64_t utc_s)
{
    return (int32_t)(zone_local(zone, utc_s) / 3600);
}

int64_t fold_hour_expiry(const struct zone *zone, int32_t hour)
{
    return zone_utc_late(zone, ((int64_t)hour + 1) * 3600) + FOLD_HOUR_KEPT_S;
}

bool fold_counts(const struct fold *fold, const struct event *event)
{
    return zone_day(fold->zone, floor_s(event->time_ms)) >= fold->floor;
}

void fold_event(struct fold *fold, const struct event *event)
{
    uint32_t ids[1 + SCOPE_DIMENSIONS_MAX], all = SCOPE_ALL;
    int64_t utc_s = floor_s(event->time_ms);
    int32_t day = zone_day(fold->zone, utc_s);
    int count = scopes_of(fold->scopes, event, ids);
    fold->kind->add(fold->tally, TALLY_DAY, day, fold->scopes, ids, count, event, day);
    /* Two days of slack, more than any clock ever went back, so that the exact expiry is worked out
     * only near it. */
    if (utc_s + 2 * 86400 + FOLD_HOUR_KEPT_S <= fold->hours_from_s)
        return;
    int32_t hour = local_hour(fold->zone, utc_s);
    if (fold_hour_expiry(fold->zone, hour) > fold->hours_from_s)
        fold->kind->add(fold->tally, TALLY_HOUR, hour, NULL, &all, 1, event, day);
}

void fold_record(struct fold *fold, enum record_field field, int64_t timestamp_ms)
{
    enum tally_time time = TALLY_UNDATED;
    int32_t slot = 0;
    if (timestamp_ms >= 0) {
        int32_t day = zone_day(fold->zone, floor_s(timestamp_ms));
        if (day >= CALENDAR_DAY_MIN && day <= CALENDAR_DAY_MAX && day >= fold->floor) {
            time = TALLY_DAY;
            slot = day;
        }
    }
    int64_t *row = tally_row(fold->tally, time, slot, SCOPE_ALL, TALLY_RECORDS);
    tally_add(fold->tally, &row[field], 1);
}
