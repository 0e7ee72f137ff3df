#include "common/calendar.h"
#include "common/histogram.h"
#include "consumers/worker/fold.h"

enum service_field {
    V_OPENED, V_OPENED_PHASE, V_OPENED_BY_COMPANY = V_OPENED_PHASE + PHASES, V_CATEGORY,
    V_RESOLVED = V_CATEGORY + CATEGORIES, V_CONTACTS_KNOWN, V_FIRST_CONTACT,
    V_FIRST_CONTACT_UNDONE, V_REOPENED, V_REOPENED_KNOWN,
    V_RESPONSE_N, V_RESPONSE_SUM, V_RESOLUTION_N, V_RESOLUTION_SUM,
    V_CSAT_N, V_CSAT_SUM, V_CSAT, V_NPS_N = V_CSAT + 5, V_NPS_SUM, V_NPS,
    V_CES_N = V_NPS + 11, V_CES_SUM, V_CES, V_CLAIMS = V_CES + 7, V_CLAIMS_IN_WARRANTY, V_SETTLED,
    V_SETTLED_IN_WARRANTY, V_REPLACED, V_REPAIRED, V_CLAIM_REFUNDED, V_CLAIM_REJECTED,
    V_CLAIM_REJECTED_IN_WARRANTY, V_TURNAROUND_N, V_TURNAROUND_SUM, V_REFERRED, SERVICE_FIELDS
};

static const char *const fields[] = {
    "opened", "opened_before", "opened_during", "opened_after", "opened_by_company",
    "category_question", "category_problem", "category_guidance", "category_prevention",
    "category_upsell", "category_bond", "category_warranty", "category_complaint",
    "category_other", "resolved", "contacts_known", "first_contact", "first_contact_undone",
    "reopened", "reopened_known", "response_n", "response_sum", "resolution_n", "resolution_sum",
    "csat_n", "csat_sum", "csat_1", "csat_2", "csat_3", "csat_4", "csat_5",
    "nps_n", "nps_sum", "nps_0", "nps_1", "nps_2", "nps_3", "nps_4", "nps_5", "nps_6", "nps_7",
    "nps_8", "nps_9", "nps_10", "ces_n", "ces_sum", "ces_1", "ces_2", "ces_3", "ces_4", "ces_5",
    "ces_6", "ces_7", "claims", "claims_in_warranty", "settled", "settled_in_warranty",
    "replaced", "repaired", "claim_refunded", "claim_rejected", "claim_rejected_in_warranty",
    "turnaround_n", "turnaround_sum", "referred", NULL,
};
_Static_assert(sizeof fields / sizeof *fields == SERVICE_FIELDS + 1, "a field without a name");

enum service_histogram { H_RESPONSE, H_RESOLUTION, H_TURNAROUND };
static const char *const histograms[] = {"response", "resolution", "turnaround", NULL};

/* What an event adds: to the fields first, then a share a duration. */
struct adding {
    struct tally_share *shares;
    int count;
};

static void add(const struct adding *to, int field, int64_t value)
{
    tally_share_put(to->shares, (unsigned)field, value);
}

/* n, sum and bucket of one duration; `n` is the field of the count, the sum follows it. */
static void add_seconds(struct adding *to, int n, enum service_histogram histogram,
                        int64_t seconds)
{
    int bucket = histogram_bucket(seconds);
    struct tally_share *share = &to->shares[to->count++];
    add(to, n, 1);
    add(to, n + 1, seconds);
    tally_share_open(share, tally_histogram_block((int)histogram, bucket));
    tally_share_put(share, (unsigned)bucket % 32, 1);
}

static void add_opened(struct adding *to, const struct event_opened *opened)
{
    add(to, V_OPENED, 1);
    add(to, V_OPENED_PHASE + (int)opened->phase, 1);
    add(to, V_OPENED_BY_COMPANY, opened->by == BY_COMPANY);
    add(to, V_CATEGORY + (int)opened->category, 1);
}

static void add_resolved(struct adding *to, const struct event_resolved *resolved)
{
    add(to, V_RESOLVED, 1);
    add(to, V_CONTACTS_KNOWN, resolved->has_contacts);
    add(to, V_FIRST_CONTACT, resolved->has_contacts && resolved->contacts == 1);
    if (resolved->has_first_response)
        add_seconds(to, V_RESPONSE_N, H_RESPONSE, resolved->first_response_s);
    if (resolved->has_resolution)
        add_seconds(to, V_RESOLUTION_N, H_RESOLUTION, resolved->resolution_s);
}

static void add_reopened(struct adding *to, const struct event_reopened *reopened)
{
    add(to, V_REOPENED, 1);
    add(to, V_REOPENED_KNOWN, reopened->has_was_first_contact);
    add(to, V_FIRST_CONTACT_UNDONE, reopened->was_first_contact);
}

/* A changed answer: the old score goes, on the day of the new one. */
static void add_rated(struct adding *to, const struct event_rated *rated)
{
    static const int n_field[SCALES] = {V_CSAT_N, V_NPS_N, V_CES_N};
    int n = n_field[rated->scale], lowest = n + 2 - event_scale_min[rated->scale];
    add(to, n, rated->has_previous ? 0 : 1);
    add(to, n + 1, rated->score - (rated->has_previous ? rated->previous : 0));
    add(to, lowest + rated->score, 1);
    if (rated->has_previous)
        add(to, lowest + rated->previous, -1);
}

static bool in_warranty(const struct event_claimed *claimed, int32_t day)
{
    return day <= calendar_add_months(claimed->purchased, claimed->warranty_months);
}

static void add_settled(struct adding *to, const struct event_settled *settled)
{
    static const int field[OUTCOMES] = {V_REPLACED, V_REPAIRED, V_CLAIM_REFUNDED, V_CLAIM_REJECTED};
    add(to, V_SETTLED, 1);
    add(to, V_SETTLED_IN_WARRANTY, settled->in_warranty);
    add(to, field[settled->outcome], 1);
    add(to, V_CLAIM_REJECTED_IN_WARRANTY,
        settled->in_warranty && settled->outcome == OUTCOME_REJECTED);
    if (settled->has_turnaround)
        add_seconds(to, V_TURNAROUND_N, H_TURNAROUND, settled->turnaround_s);
}

static void add_event(struct adding *to, const struct event *event, int32_t local_day)
{
    switch (event->type) {
    case EVENT_SERVICE_OPENED:
        add_opened(to, &event->opened);
        break;
    case EVENT_SERVICE_RESOLVED:
        add_resolved(to, &event->resolved);
        break;
    case EVENT_SERVICE_REOPENED:
        add_reopened(to, &event->reopened);
        break;
    case EVENT_SERVICE_RATED:
        add_rated(to, &event->rated);
        break;
    case EVENT_SERVICE_CLAIMED:
        add(to, V_CLAIMS, 1);
        add(to, V_CLAIMS_IN_WARRANTY, in_warranty(&event->claimed, local_day));
        break;
    case EVENT_SERVICE_SETTLED:
        add_settled(to, &event->settled);
        break;
    default: /* service.referred: the topic lets no other type through */
        add(to, V_REFERRED, 1);
    }
}

static int service_share(const struct event *event, int32_t local_day, struct tally_share *shares)
{
    struct adding adding = {shares, 1};
    tally_share_open(shares, TALLY_FIELDS);
    add_event(&adding, event, local_day);
    return adding.count;
}

const struct fold_kind service_kind = {
    .name = "service",
    .side = SIDE_SERVICE,
    .layout = {fields, fold_record_fields, NULL, histograms},
    .share = service_share,
};
