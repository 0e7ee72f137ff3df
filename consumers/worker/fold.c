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
    return fold->floor == INT32_MIN ||
           zone_day(fold->zone, floor_s(event->time_ms)) >= fold->floor;
}

/* Whether the hour of an instant is still kept. The exact expiry is worked out only near it: two
 * days are more than any clock ever went back or forward. */
static bool hour_kept(const struct fold *fold, int64_t utc_s, int32_t hour)
{
    int64_t roughly_s = utc_s + FOLD_HOUR_KEPT_S;
    if (roughly_s + 2 * 86400 <= fold->hours_from_s)
        return false;
    return roughly_s - 2 * 86400 > fold->hours_from_s ||
           fold_hour_expiry(fold->zone, hour) > fold->hours_from_s;
}

/* What an event adds is worked out once, and then added scope by scope: adding it up anew in each
 * took four times the instructions (bench/parts). */
void fold_event(struct fold *fold, const struct event *event)
{
    uint32_t ids[1 + SCOPE_DIMENSIONS_MAX];
    struct tally_share shares[FOLD_SHARES_MAX];
    int64_t utc_s = floor_s(event->time_ms);
    int32_t day = zone_day(fold->zone, utc_s), hour = local_hour(fold->zone, utc_s);
    int scopes = scopes_of(fold->scopes, event, ids);
    int count = fold->kind->share(event, day, shares);
    for (int i = 0; i < scopes; i++)
        tally_add_shares(fold->tally, TALLY_DAY, day, ids[i], shares, count);
    if (fold->kind->add_lines)
        fold->kind->add_lines(fold->tally, day, fold->scopes, event, shares, count);
    if (hour_kept(fold, utc_s, hour))
        tally_add_shares(fold->tally, TALLY_HOUR, hour, SCOPE_ALL, shares, count);
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
