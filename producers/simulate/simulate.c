#include "producers/simulate/simulate.h"

#include "common/calendar.h"
#include "common/clock.h"
#include "common/currency.h"
#include "common/money.h"
#include "common/publisher.h"
#include "producers/progress.h"
#include "producers/simulate/shop.h"
#include "producers/simulate/traffic.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    HOUR_S = 3600,
    DAY_S = 86400,
    DAYS = 365,
    ORDERS = 10000,
    LIVE_CUSTOMERS = 2000,
    FEWEST_CUSTOMERS = 10,
    MOST_CUSTOMERS = 50000000,
    ORDERS_OF_A_CUSTOMER = 4,
    POLL_EVERY = 512,
    WAIT_MS = 500,
    NAP_MS = 50,
    FLUSH_MS = 30000 /* how long a stopped run waits for what it sent */
};

struct simulate_options {
    int64_t orders, events, days, seed, customers, rate, duplicates, bad, binary;
    int64_t content, discontent;
    const char *start, *currencies, *source;
    bool dry_run;
};

struct simulate {
    const struct simulate_options *options;
    const struct config *config;
    struct zone *zone;
    struct shop *shop;
    struct traffic *traffic;
    struct publisher *publisher;
    struct progress progress;
    int64_t begun_ms, sent;
    char failure[256]; /* of the first record that was not delivered */
};

static const char *grouped(int64_t n, char out[40])
{
    return money_format(n, 0, '.', ',', out, 40);
}

static int check_source(const char *source, struct error *err)
{
    size_t len = strlen(source);
    for (size_t i = 0; i < len; i++) {
        if (source[i] <= ' ' || source[i] > '~' || strchr("\"\\", source[i])) {
            return error_set(err, ERROR_USAGE,
                             "--source %s: must be ASCII without blanks and "
                             "quotes",
                             source);
        }
    }
    if (len == 0 || len > 256) {
        return error_set(err, ERROR_USAGE, "--source: must be 1-256 bytes");
    }
    return 0;
}

static int check_options(const struct simulate_options *o, struct error *err)
{
    if (o->orders && o->events) {
        return error_set(err, ERROR_USAGE, "--orders and --events: take one");
    }
    if (o->rate && (o->days || o->start)) {
        return error_set(err, ERROR_USAGE,
                         "--rate is for events of now, --days and --start are for the past");
    }
    return check_source(o->source, err);
}

static int read_currencies(const char *list, struct shop_options *shop, struct error *err)
{
    for (const char *at = list;; at++) {
        struct text code = {at, strcspn(at, ",")};
        int currency = currency_find(code);
        if (currency < 0) {
            return error_set(err, ERROR_USAGE, "--currencies: %.*s is not an ISO 4217 code",
                             TEXT_ARG(code));
        }
        if (shop->currency_count == GOODS_CURRENCIES_MAX) {
            return error_set(err, ERROR_USAGE, "--currencies: at most %d", GOODS_CURRENCIES_MAX);
        }
        shop->currencies[shop->currency_count++] = currency;
        at += code.len;
        if (!*at) {
            return 0;
        }
    }
}

/* Without --start the last day is today, up to the last full hour. */
static int choose_days(const struct simulate *run, struct shop_options *shop, struct error *err)
{
    const struct simulate_options *o = run->options;
    int64_t days = o->days ? o->days : DAYS, now_s = clock_wall_ms() / 1000;
    int32_t first;
    if (!o->start) {
        shop->end_s = now_s / HOUR_S * HOUR_S;
        first = zone_day(run->zone, shop->end_s - HOUR_S) - (int32_t)(days - 1);
        shop->start_s = zone_utc(run->zone, (int64_t)first * DAY_S);
    } else {
        if (!calendar_parse_date(text_of(o->start), &first)) {
            return error_set(err, ERROR_USAGE, "--start %s: not a date YYYY-MM-DD", o->start);
        }
        shop->start_s = zone_utc(run->zone, (int64_t)first * DAY_S);
        shop->end_s = zone_utc(run->zone, (first + days) * DAY_S);
        if (shop->end_s > now_s) {
            return error_set(err, ERROR_USAGE, "--start %s: %lld days from then end after now",
                             o->start, (long long)days);
        }
    }
    /* A day of slack, so that no time zone moves an event out of the years that are allowed. */
    if (first <= CALENDAR_DAY_MIN || shop->end_s > (int64_t)CALENDAR_DAY_MAX * DAY_S) {
        return error_set(err, ERROR_USAGE, "--start, --days: must lie in the years 2000-2099");
    }
    return 0;
}

static void choose_size(const struct simulate_options *o, const struct traffic_options *traffic,
                        struct shop_options *shop)
{
    shop->orders = o->orders ? o->orders : o->rate ? INT64_MAX : ORDERS;
    if (o->events) {
        shop->events = traffic_events(traffic);
        shop->orders = o->rate ? INT64_MAX : shop_orders_for(shop->events);
    }
    int64_t customers = shop->orders / ORDERS_OF_A_CUSTOMER;
    customers = o->rate                        ? LIVE_CUSTOMERS
                : customers < FEWEST_CUSTOMERS ? FEWEST_CUSTOMERS
                : customers > MOST_CUSTOMERS   ? MOST_CUSTOMERS
                                               : customers;
    shop->customers = o->customers ? o->customers : customers;
}

static int open_business(struct simulate *run, struct error *err)
{
    const struct simulate_options *o = run->options;
    struct traffic_options traffic = {.type_prefix = run->config->type_prefix,
                                      .duplicates_pct = (int)o->duplicates,
                                      .bad_pct = (int)o->bad,
                                      .binary_pct = o->dry_run ? 0 : (int)o->binary,
                                      .records = o->events};
    struct shop_options shop = {.seed = (uint64_t)o->seed,
                                .start_s = clock_wall_ms() / 1000,
                                .content_pct = (int)o->content,
                                .discontent_pct = (int)o->discontent,
                                .live = o->rate > 0,
                                .source = o->source};
    if (read_currencies(o->currencies, &shop, err) != 0 ||
        zone_open(&run->zone, run->config->timezone, err) != 0) {
        return -1;
    }
    shop.zone = run->zone;
    if (!shop.live && choose_days(run, &shop, err) != 0) {
        return -1;
    }
    choose_size(o, &traffic, &shop);
    if (shop_open(&run->shop, &shop, err) != 0) {
        return -1;
    }
    return traffic_open(&run->traffic, run->shop, &shop, &traffic, err);
}

static void on_report(void *context, void *cookie, const char *failure)
{
    struct simulate *run = context;
    (void)cookie;
    if (failure && !run->failure[0]) {
        snprintf(run->failure, sizeof run->failure, "%s", failure);
    }
}

static const char *topic_of(const struct simulate *run, enum side side)
{
    return side == SIDE_SALE ? run->config->topics_sales : run->config->topics_service;
}

static int connect(struct simulate *run, struct error *err)
{
    if (run->options->dry_run) {
        return 0;
    }
    if (publisher_open(&run->publisher, run->config, on_report, run, err) != 0) {
        return -1;
    }
    for (enum side side = 0; side < SIDES; side++) {
        if (publisher_wait(run->publisher, topic_of(run, side), err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* A bad record need not be a line of JSON, so the dry run leaves it out. */
static int print(struct simulate *run, const struct parcel *parcel, struct error *err)
{
    if (parcel->kind == PARCEL_BAD) {
        return 0;
    }
    run->sent++;
    if (fwrite(parcel->value.at, 1, parcel->value.len, stdout) != parcel->value.len ||
        putchar('\n') == EOF) {
        return error_set(err, ERROR_SYSTEM, "standard output takes nothing more");
    }
    return 0;
}

/* A full queue means that the brokers are slow or away: the client's own time limit ends that. */
static int send(struct simulate *run, const struct parcel *parcel, struct error *err)
{
    if (run->options->dry_run) {
        return print(run, parcel, err);
    }
    while (publisher_send(run->publisher, topic_of(run, parcel->side), parcel->key, parcel->value,
                          parcel->headers, parcel->header_count, NULL, WAIT_MS, err) != 0) {
        if (!err->retry || command_stopping()) {
            return -1;
        }
    }
    if (++run->sent % POLL_EVERY == 0) {
        publisher_poll(run->publisher, 0);
    }
    return 0;
}

static void show_progress(struct simulate *run)
{
    char number[40];
    if ((run->options->rate || run->sent % POLL_EVERY == 0) && progress_due(&run->progress)) {
        if (run->options->rate) {
            progress_show(&run->progress, "simulate: %s events, Ctrl-C ends it",
                          grouped(run->sent, number));
        } else {
            progress_show(&run->progress, "simulate: %s events, %d %%", grouped(run->sent, number),
                          (int)(shop_progress_ppm(run->shop) / 10000));
        }
    }
}

/* Waits until the next event is due at the wished rate. */
static void keep_pace(struct simulate *run)
{
    const int64_t rate = run->options->rate;
    const struct traffic *t = run->traffic;
    int64_t made = traffic_count(t, PARCEL_GOOD) + traffic_count(t, PARCEL_AGAIN) +
                   traffic_count(t, PARCEL_BAD);
    int64_t due_ms = run->begun_ms + made / rate * 1000 + made % rate * 1000 / rate, left_ms;
    while (rate && !command_stopping() && (left_ms = due_ms - clock_mono_ms()) > 0) {
        show_progress(run);
        if (run->publisher) {
            publisher_poll(run->publisher, left_ms < NAP_MS ? left_ms : NAP_MS);
        } else {
            fflush(stdout);
            clock_sleep_ms(left_ms < NAP_MS ? left_ms : NAP_MS);
        }
    }
}

static int send_all(struct simulate *run, struct error *err)
{
    struct parcel parcel;
    int64_t now_ms = 0;
    run->begun_ms = clock_mono_ms();
    for (;;) {
        if (run->options->rate) {
            int64_t clock_ms;
            keep_pace(run);
            clock_ms = clock_wall_ms();
            now_ms = clock_ms > now_ms ? clock_ms : now_ms;
        }
        if (command_stopping()) {
            return 0;
        }
        int found = traffic_next(run->traffic, now_ms, &parcel, err);
        if (found <= 0) {
            return found;
        }
        if (send(run, &parcel, err) != 0) {
            return -1;
        }
        show_progress(run);
    }
}

/* What was sent arrives or fails; after a signal only so long. */
static int flush(struct simulate *run, struct error *err)
{
    int64_t end_ms = INT64_MAX;
    while (run->publisher && publisher_pending(run->publisher) > 0) {
        if (command_stopping() && end_ms == INT64_MAX) {
            end_ms = clock_mono_ms() + FLUSH_MS;
        }
        if (clock_mono_ms() > end_ms) {
            break;
        }
        publisher_flush(run->publisher, WAIT_MS, NULL);
    }
    if (run->options->dry_run && fflush(stdout) != 0) {
        return error_set(err, ERROR_SYSTEM, "standard output takes nothing more");
    }
    int64_t missing = run->publisher ? run->sent - publisher_delivered(run->publisher) : 0;
    if (missing > 0) {
        return error_set(err, ERROR_KAFKA, "%lld records were not delivered%s%s",
                         (long long)missing, run->failure[0] ? ": " : "", run->failure);
    }
    return 0;
}

static void part(const char *format, int64_t n)
{
    char number[40];
    if (n) {
        fprintf(stderr, format, grouped(n, number));
    }
}

static void summarize(struct simulate *run)
{
    int64_t first_ms, last_ms;
    char number[40], from[32], to[32];
    const struct traffic *t = run->traffic;
    progress_clear(&run->progress);
    fprintf(stderr, "simulate: %s records %s", grouped(run->sent, number),
            run->publisher ? "sent" : "printed");
    if (run->publisher) {
        fprintf(stderr, ", %s delivered", grouped(publisher_delivered(run->publisher), number));
    }
    fprintf(stderr, ": %s events", grouped(traffic_count(t, PARCEL_GOOD), number));
    part(", %s of them orders", shop_orders(run->shop));
    part(", %s repeated", traffic_count(t, PARCEL_AGAIN));
    part(run->publisher ? ", %s bad" : ", %s bad ones left out", traffic_count(t, PARCEL_BAD));
    traffic_span(t, &first_ms, &last_ms);
    if (first_ms <= last_ms) {
        fprintf(stderr, "; %s to %s", calendar_format_time(first_ms / 1000 * 1000, from),
                calendar_format_time(last_ms / 1000 * 1000, to));
    }
    fputc('\n', stderr);
}

static int work(struct simulate *run, struct error *err)
{
    if (open_business(run, err) != 0 || connect(run, err) != 0) {
        return -1;
    }
    int result = send_all(run, err);
    struct error late = {0};
    if (flush(run, &late) != 0 && result == 0) {
        *err = late; /* the first error says more */
        result = -1;
    }
    summarize(run);
    return result;
}

static int run_simulate(const struct config *config, const void *own, int argc, char **argv,
                        struct error *err)
{
    (void)argc;
    (void)argv;
    struct simulate run = {.options = own, .config = config};
    if (check_options(own, err) != 0) {
        return 2;
    }
    command_catch_signals();
    progress_start(&run.progress, true);
    int result = work(&run, err);
    publisher_free(run.publisher);
    traffic_free(run.traffic);
    shop_free(run.shop);
    zone_free(run.zone);
    return result == 0 ? 0 : err->code == ERROR_USAGE ? 2 : 1;
}

#define OPTION(member) offsetof(struct simulate_options, member)
#define PERCENT(name, member, most, help)                         \
    {                                                             \
        name, 0, OPTION_INT, "PCT", OPTION(member), 0, most, help \
    }

static const struct command_option words[] = {
    {"orders", 0, OPTION_INT, "N", OPTION(orders), 1, 1000000000, "so many orders"},
    {"events", 0, OPTION_INT, "N", OPTION(events), 1, 2000000000,
     "so many records in all, instead of --orders"},
    {"days", 0, OPTION_INT, "N", OPTION(days), 1, 3660, "spread over so many days (365)"},
    {"start", 0, OPTION_STRING, "DATE", OPTION(start), 0, 0,
     "the first day (default: so that the last is today)"},
    {"seed", 0, OPTION_INT, "N", OPTION(seed), 0, INT64_MAX,
     "another number, another business (1)"},
    {"customers", 0, OPTION_INT, "N", OPTION(customers), 1, MOST_CUSTOMERS,
     "most customers (a quarter of the orders; live: 2000)"},
    {"rate", 0, OPTION_INT, "N", OPTION(rate), 1, 1000000,
     "live: so many records a second, each of now, until Ctrl-C or --orders or --events"},
    PERCENT("return-content", content, 100, "content customers who buy again in 90 days (60)"),
    PERCENT("return-discontent", discontent, 100, "the same of discontent customers (20)"),
    PERCENT("duplicates", duplicates, 40, "records that are an earlier one again (0)"),
    PERCENT("bad", bad, 40, "records that cannot be counted, of every kind (0)"),
    PERCENT("binary", binary, 100, "events in binary content mode (0)"),
    {"currencies", 0, OPTION_STRING, "LIST", OPTION(currencies), 0, 0,
     "currencies of the regions in turn (EUR)"},
    {"source", 0, OPTION_STRING, "URI", OPTION(source), 0, 0, "source of the events (/simulate)"},
    {"dry-run", 'n', OPTION_FLAG, NULL, OPTION(dry_run), 0, 0,
     "print the events instead of sending them; needs no Kafka"},
    {NULL, 0, OPTION_FLAG, NULL, 0, 0, 0, NULL},
};

static const struct simulate_options defaults = {
    .seed = 1, .content = 60, .discontent = 20, .currencies = "EUR", .source = "/simulate"};

static const char *const settings[] = {
    "brokers",         "timezone", "topics.sales", "topics.service", "type.prefix",
    "connect.timeout", NULL};

const struct command simulate_command = {
    .name = "simulate",
    .summary = "Send the events of a believable business",
    .args = "",
    .about = "Makes up a shop: customers ask, buy, give back, need help, rate, claim\n"
             "warranties, recommend and come back, the content ones more often. Sends a\n"
             "history in the order of its times, or live traffic (--rate). The same seed,\n"
             "days and options give the same bytes.\n\n"
             "The last line counts what was sent and delivered; the exit status is 0 only\n"
             "when all of it was delivered, also when Ctrl-C ended it.\n\n"
             "  tandem simulate --orders 10000                       a year until today\n"
             "  tandem simulate --start 2025-01-01 --days 31 --dry-run\n"
             "  tandem simulate --events 200000 --duplicates 5 --bad 1\n"
             "  tandem simulate --rate 20                            live, until Ctrl-C\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct simulate_options),
    .defaults = &defaults,
    .min_args = 0,
    .max_args = 0,
    .run = run_simulate,
};
