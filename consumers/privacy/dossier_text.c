#include "consumers/privacy/dossier_print.h"

#include "common/calendar.h"

#include <inttypes.h>

enum { DAY_S = 86400, MONTHS_A_LINE = 10 };

char *dossier_time(const struct zone *zone, int64_t time_s, char out[32])
{
    char date[11];
    int64_t local_s = zone_local(zone, time_s);
    int second = (int)(local_s % DAY_S); /* times lie behind 1999 */
    int offset = (int)zone_offset(zone, time_s), east = offset < 0 ? -offset : offset;
    calendar_format_date((int32_t)(local_s / DAY_S), date);
    snprintf(out, 32, "%sT%02d:%02d:%02d%c%02d:%02d", date, second / 3600, second / 60 % 60,
             second % 60, offset < 0 ? '-' : '+', east / 3600 % 100, east / 60 % 60);
    return out;
}

char *dossier_month(int month, char out[11])
{
    calendar_format_date(customer_month_day(month), out);
    out[7] = '\0';
    return out;
}

static void print_list(const struct dossier_page *page, uint32_t list, FILE *out)
{
    size_t count;
    const uint32_t *ids = lists_ids(page->lists, list, &count);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%.*s", i ? ", " : "   ", TEXT_ARG(dictionary_name(page->names, ids[i])));
    fputc('\n', out);
}

static void print_sale(const struct dossier_page *page, const struct sale *sale,
                       const struct zone *zone, FILE *out)
{
    char time[32];
    fprintf(out, "    %s", dossier_time(zone, sale->time_s, time));
    print_list(page, sale->list, out);
}

static void print_ratings(const struct dossier_page *page, const struct zone *zone, FILE *out)
{
    char time[32];
    const struct customer *c = &page->customer;
    if (!c->rating_count)
        return;
    fprintf(out, "  ratings: %zu", c->rating_count);
    fprintf(out, c->replaced ? ", in place of %" PRIu32 " earlier ones\n" : "\n", c->replaced);
    for (size_t i = 0; i < c->rating_count; i++) {
        const struct rating *rating = &c->ratings[i];
        fprintf(out, "    %s   %s %d", dossier_time(zone, rating->time_s, time),
                event_scale_words[rating->scale], rating->score);
        print_list(page, rating->list, out);
    }
}

static void print_runs(const char *name, const struct runs *runs, int64_t window_s,
                       const struct zone *zone, FILE *out)
{
    char first[32], last[32];
    if (!runs->count)
        return;
    fprintf(out, "  %s, those within %d days of each other as one:\n", name,
            (int)(window_s / DAY_S));
    for (size_t i = 0; i < runs->count; i++) {
        const struct run *run = &runs->at[i];
        fprintf(out, "    %s", dossier_time(zone, run->first_s, first));
        if (run->last_s != run->first_s)
            fprintf(out, " to %s", dossier_time(zone, run->last_s, last));
        fputc('\n', out);
    }
}

static void print_months(const struct customer *c, FILE *out)
{
    char name[11];
    int printed = 0;
    fputs("  months with a purchase:", out);
    for (int month = 0; month < CUSTOMER_MONTHS; month++) {
        if (!customer_has_month(c, month))
            continue;
        fputs(printed && printed % MONTHS_A_LINE == 0 ? "\n    " : " ", out);
        fputs(dossier_month(month, name), out);
        printed++;
    }
    fputc('\n', out);
}

static void print_purchases(const struct dossier_page *page, const struct zone *zone, FILE *out)
{
    const struct customer *c = &page->customer;
    if (!c->has_sale) {
        fputs("  no purchase\n", out);
        return;
    }
    fputs("  first purchase:\n", out);
    print_sale(page, &c->first, zone, out);
    print_months(c, out);
    if (c->sale_count)
        fprintf(out, "  purchases that counters depend on: %zu\n", c->sale_count);
    for (size_t i = 0; i < c->sale_count; i++)
        print_sale(page, &c->sales[i], zone, out);
}

static void print_state(const struct dossier_page *page, const struct zone *zone, FILE *out)
{
    char time[32];
    const struct customer *c = &page->customer;
    print_purchases(page, zone, out);
    if (c->referral)
        fprintf(out, "  recommended: %s, by the %s side\n", dossier_time(zone, c->referral_s, time),
                c->referral == REFERRAL_BY_SALE ? "sale" : "service");
    if (c->overflowed)
        fputs("  more purchases and ratings than ledger.limit: none of them is kept\n", out);
    print_ratings(page, zone, out);
    print_runs("service contacts", &c->contacts, CUSTOMER_CONTACT_S, zone, out);
    print_runs("interactions", &c->interactions, CUSTOMER_INTERACTION_S, zone, out);
}

static void print_page(const struct dossier *d, const struct dossier_page *page,
                       const struct zone *zone, FILE *out)
{
    if (!page->known && !page->forgotten)
        return;
    fprintf(out, "partition %" PRId32 "%s:", page->partition,
            page->partition == d->home ? "" : ", where events of this id do not belong today");
    fprintf(out, page->known ? " %zu bytes\n" : "\n", page->bytes);
    if (page->forgotten)
        fprintf(out,
                "  forgotten: events from sale offset %" PRId64 " and service offset %" PRId64
                " on are anonymous\n",
                page->from[SIDE_SALE], page->from[SIDE_SERVICE]);
    if (page->known)
        print_state(page, zone, out);
}

void dossier_text(const struct dossier *dossier, const struct zone *zone, FILE *out)
{
    fprintf(out,
            "customer %s of business %s: partition %" PRId32 " of %" PRId32
            ", ledger shard %d of %d; times of %s\n",
            dossier->id, dossier->business, dossier->home, dossier->partitions,
            ledger_shard_of(dossier->home, dossier->shards), dossier->shards, zone_name(zone));
    for (size_t i = 0; i < dossier->page_count; i++)
        print_page(dossier, &dossier->pages[i], zone, out);
}
