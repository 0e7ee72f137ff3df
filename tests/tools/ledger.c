/* ledger - the customer counters as a filter, for tests that hold them against other opinions.
 *
 *   ledger count       one set a line of JSON on stdin, what it comes to a line on stdout:
 *     in  {"business" (default main),"timezone","scopes","from":day|null,"limit","shards",
 *          "floor":day|null,
 *          "forgotten":[[partition,customer,sale offset,service offset]],
 *          "batches":[{"drop":bool,"records":[{"topic","partition","offset","value"}]}]}
 *     out {"hashes":{key:{field:n}},"states":{"partition/customer":hex},
 *          "months":{"partition/customer":["2026-01"]},"names":[{scope:number} of each shard]}
 *   ledger sizes N     the bytes of N customers with five events each, as JSON
 *   ledger commands N  the same customers, and the names and definition of their one shard, as Redis
 *                      commands for redis-cli --pipe */
#include "consumers/customers/ledger.h"
#include "common/calendar.h"
#include "consumers/customers/codec.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define SHARDS_MAX 16
#define ZONES_MAX  8

struct shard {
    struct dictionary *names;
    struct ledger *ledger;
    uint32_t numbers;
};

struct world {
    const char *business;
    struct shard shards[SHARDS_MAX];
    int shard_count;
    struct customer_rules rules;
    int32_t floor;
    struct tally *tally;
    json_t *forgotten, *states, *hashes;
    char **known; /* bytes that a ledger looks at */
    size_t known_count, known_room;
};

static void die(const char *what)
{
    fprintf(stderr, "ledger: %s\n", what);
    exit(1);
}

static void must(int rc, const struct error *err)
{
    if (rc != 0)
        die(err->text);
}

/* Reading a zone takes longer than a set. */
static struct zone *zone_named(const char *name)
{
    static struct zone *zones[ZONES_MAX];
    struct error err = {0};
    for (int i = 0; i < ZONES_MAX; i++) {
        if (!zones[i])
            must(zone_open(&zones[i], name, &err), &err);
        if (strcmp(zone_name(zones[i]), name) == 0)
            return zones[i];
    }
    die("too many zones");
    return NULL;
}

static int32_t day_in(json_t *in, const char *member)
{
    int32_t day = INT32_MIN;
    json_t *value = json_object_get(in, member);
    if (json_is_string(value) && !calendar_parse_date(text_of(json_string_value(value)), &day))
        die("not a day");
    return day;
}

static void open_world(struct world *world, json_t *in)
{
    struct error err = {0};
    json_t *business = json_object_get(in, "business");
    *world = (struct world){
        .business = business ? json_string_value(business) : "main",
        .shard_count = (int)json_integer_value(json_object_get(in, "shards")),
        .floor = day_in(in, "floor"),
        .rules = {zone_named(json_string_value(json_object_get(in, "timezone"))),
                  day_in(in, "from"), (uint32_t)json_integer_value(json_object_get(in, "limit"))},
        .forgotten = json_object_get(in, "forgotten"),
        .states = json_object(),
        .hashes = json_object()};
    if (world->shard_count < 1 || world->shard_count > SHARDS_MAX)
        die("shards");
    must(tally_open(&world->tally, &contribution_layout, &err), &err);
    for (int i = 0; i < world->shard_count; i++) {
        struct shard *shard = &world->shards[i];
        must(dictionary_open(&shard->names, &err), &err);
        must(ledger_open(&shard->ledger, &world->rules,
                         json_string_value(json_object_get(in, "scopes")), shard->names, &err),
             &err);
    }
}

static void let_go(struct world *world)
{
    while (world->known_count)
        free(world->known[--world->known_count]);
}

static void close_world(struct world *world)
{
    for (int i = 0; i < world->shard_count; i++) {
        ledger_free(world->shards[i].ledger);
        dictionary_free(world->shards[i].names);
    }
    tally_free(world->tally);
    json_decref(world->states);
    json_decref(world->hashes);
    free(world->known);
}

/* --- a batch of one shard ------------------------------------------------------------------- */

static void number_names(struct shard *shard)
{
    uint32_t id = 0;
    struct error err;
    while ((id = dictionary_unnumbered(shard->names, id))) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", TEXT_ARG(dictionary_name(shard->names, id)));
        must(dictionary_learn(shard->names, text_of(name), ++shard->numbers, &err), &err);
    }
}

static void write_name(char *out, size_t room, struct ledger_customer customer)
{
    snprintf(out, room, "%d/%.*s", (int)customer.partition, TEXT_ARG(customer.id));
}

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct text unhex(struct world *world, const char *hex)
{
    size_t len = strlen(hex) / 2;
    char *bytes = malloc(len + 1);
    if (world->known_count == world->known_room) {
        world->known_room = world->known_room ? 2 * world->known_room : 64;
        world->known = realloc(world->known, world->known_room * sizeof *world->known);
    }
    if (!bytes || !world->known)
        die("out of memory");
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    world->known[world->known_count++] = bytes;
    return (struct text){bytes, len};
}

static json_t *hex(struct text bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * bytes.len + 1);
    if (!text)
        die("out of memory");
    for (size_t i = 0; i < bytes.len; i++) {
        text[2 * i] = digits[(unsigned char)bytes.at[i] >> 4];
        text[2 * i + 1] = digits[(unsigned char)bytes.at[i] & 15];
    }
    json_t *made = json_stringn(text, 2 * bytes.len);
    free(text);
    return made;
}

static void tell_forgotten(struct world *world, struct ledger *ledger, size_t place,
                           struct ledger_customer customer)
{
    json_t *entry;
    size_t i;
    json_array_foreach(world->forgotten, i, entry)
    {
        if (json_integer_value(json_array_get(entry, 0)) == customer.partition &&
            text_is(customer.id, json_string_value(json_array_get(entry, 1))))
            ledger_forgotten(ledger, place, json_integer_value(json_array_get(entry, 2)),
                             json_integer_value(json_array_get(entry, 3)));
    }
}

static void add_group(json_t *hashes, const struct batch *batch, const struct batch_group *group)
{
    char key[512];
    snprintf(key, sizeof key, "%.*s%.*s", TEXT_ARG(group->head), TEXT_ARG(group->value));
    json_t *hash = json_object_get(hashes, key);
    if (!hash) {
        hash = json_object();
        json_object_set_new(hashes, key, hash);
    }
    for (size_t i = group->first; i < group->first + group->count; i++) {
        char field[64];
        snprintf(field, sizeof field, "%.*s", TEXT_ARG(batch->cells[i].field));
        json_int_t sum = json_integer_value(json_object_get(hash, field)) + batch->cells[i].delta;
        if (sum)
            json_object_set_new(hash, field, json_integer(sum));
        else
            json_object_del(hash, field);
    }
    if (json_object_size(hash) == 0)
        json_object_del(hashes, key);
}

static void store(struct world *world, int number)
{
    struct shard *shard = &world->shards[number];
    struct batch batch;
    char prefix[64], name[128];
    batch_init(&batch);
    snprintf(prefix, sizeof prefix, "tandem:{%s.%d}:", world->business, number);
    ledger_flush(shard->names, world->tally, prefix, world->floor, &batch);
    for (size_t i = 0; i < batch.group_count; i++)
        add_group(world->hashes, &batch, &batch.groups[i]);
    batch_free(&batch);
    for (size_t i = 0; i < ledger_customers(shard->ledger); i++) {
        struct text state;
        write_name(name, sizeof name, ledger_customer(shard->ledger, i));
        if (ledger_state(shard->ledger, i, &state))
            json_object_set_new(world->states, name, hex(state));
    }
}

static void apply(struct world *world, int number, bool drop)
{
    struct shard *shard = &world->shards[number];
    struct error err = {0};
    char name[128];
    number_names(shard);
    for (size_t i = 0; i < ledger_customers(shard->ledger); i++) {
        struct ledger_customer customer = ledger_customer(shard->ledger, i);
        write_name(name, sizeof name, customer);
        json_t *state = json_object_get(world->states, name);
        if (state)
            ledger_known(shard->ledger, i, unhex(world, json_string_value(state)));
        tell_forgotten(world, shard->ledger, i, customer);
    }
    must(ledger_apply(shard->ledger, world->tally, &err), &err);
    if (!drop)
        store(world, number);
    ledger_reset(shard->ledger);
    tally_reset(world->tally);
    let_go(world);
}

/* --- count ------------------------------------------------------------------------------------ */

static void take(struct world *world, struct decoder *decoder, json_t *in)
{
    static const struct record_header structured[] = {
        {{"content-type", 12}, {"application/cloudevents+json", 28}}};
    struct record record = {.partition =
                                (int32_t)json_integer_value(json_object_get(in, "partition")),
                            .offset = json_integer_value(json_object_get(in, "offset")),
                            .timestamp_ms = -1,
                            .value = text_of(json_string_value(json_object_get(in, "value"))),
                            .headers = structured,
                            .header_count = 1};
    struct event event;
    struct rejection why;
    const char *topic = json_string_value(json_object_get(in, "topic"));
    enum side side = topic && strstr(topic, "service") ? SIDE_SERVICE : SIDE_SALE;
    if (decoder_decode(decoder, &record, side, &event, &why) != VERDICT_VALID)
        die("a record that is not valid");
    ledger_add(world->shards[record.partition % world->shard_count].ledger, record.partition,
               record.offset, &event);
}

static json_t *months_of(struct world *world)
{
    json_t *all = json_object(), *state;
    const char *name;
    json_object_foreach(world->states, name, state)
    {
        struct shard *shard = &world->shards[atoi(name) % world->shard_count];
        struct customer customer;
        struct lists *lists;
        struct codec *codec;
        struct error err = {0};
        customer_init(&customer);
        must(lists_open(&lists, shard->names, &err), &err);
        must(codec_open(&codec, shard->names, lists, &err), &err);
        must(codec_decode(codec, unhex(world, json_string_value(state)), &customer, &err), &err);
        json_t *months = json_array();
        for (int month = 0; month < CUSTOMER_MONTHS; month++) {
            char date[11];
            if (customer_has_month(&customer, month))
                json_array_append_new(
                    months, json_stringn(calendar_format_date(customer_month_day(month), date), 7));
        }
        if (json_array_size(months))
            json_object_set(all, name, months);
        json_decref(months);
        codec_free(codec);
        lists_free(lists);
        customer_free(&customer);
    }
    let_go(world);
    return all;
}

static json_t *names_of(const struct world *world)
{
    json_t *all = json_array();
    for (int i = 0; i < world->shard_count; i++) {
        const struct dictionary *names = world->shards[i].names;
        json_t *numbers = json_object();
        for (uint32_t id = 1; id <= dictionary_count(names); id++) {
            char name[256];
            snprintf(name, sizeof name, "%.*s", TEXT_ARG(dictionary_name(names, id)));
            json_object_set_new(numbers, name, json_integer(dictionary_number(names, id)));
        }
        json_array_append_new(all, numbers);
    }
    return all;
}

static void count_set(struct decoder *decoder, json_t *in)
{
    struct world world;
    json_t *batch, *record;
    size_t b, r;
    open_world(&world, in);
    json_array_foreach(json_object_get(in, "batches"), b, batch)
    {
        json_array_foreach(json_object_get(batch, "records"), r, record)
            take(&world, decoder, record);
        for (int i = 0; i < world.shard_count; i++)
            apply(&world, i, json_is_true(json_object_get(batch, "drop")));
    }
    json_t *out = json_pack("{s:O, s:O, s:o, s:o}", "hashes", world.hashes, "states", world.states,
                            "months", months_of(&world), "names", names_of(&world));
    char *line = json_dumps(out, JSON_COMPACT);
    puts(line);
    free(line);
    json_decref(out);
    close_world(&world);
}

static void count(void)
{
    struct decoder *decoder;
    struct error err;
    char *line = NULL;
    size_t room = 0;
    must(decoder_open(&decoder, "tandem.", &err), &err);
    while (getline(&line, &room, stdin) > 0) {
        json_error_t problem;
        json_t *in = json_loads(line, 0, &problem);
        if (!in)
            die(problem.text);
        count_set(decoder, in);
        json_decref(in);
    }
    free(line);
    decoder_free(decoder);
}

/* --- sizes ------------------------------------------------------------------------------------ */

enum { FIVE = 5, REGIONS = 8, REPS = 40, CHANNELS = 3, LINES = 12 };

/* Two sales, an interaction, a contact and a rating within half a year. */
static void five_events(struct ledger *ledger, int32_t partition, const char *id, unsigned *seed)
{
    static const enum event_type types[FIVE] = {EVENT_SALE_INTERACTION, EVENT_SALE_COMPLETED,
                                                EVENT_SERVICE_OPENED, EVENT_SERVICE_RATED,
                                                EVENT_SALE_COMPLETED};
    static const char *const channels[CHANNELS] = {"online", "shop", "phone"};
    char region[32], rep[32], line[32];
    int64_t start_s = INT64_C(1767225600) + rand_r(seed) % (300 * 86400);
    for (int i = 0; i < FIVE; i++) {
        struct event_item item = {.line = {line, 0}};
        struct event event = {.type = types[i],
                              .time_ms = (start_s + rand_r(seed) % (180 * 86400)) * 1000,
                              .customer = text_of(id),
                              .ref = text_of(id)};
        snprintf(region, sizeof region, "region-%d", rand_r(seed) % REGIONS);
        snprintf(rep, sizeof rep, "rep-%d", rand_r(seed) % REPS);
        item.line.len = (size_t)snprintf(line, sizeof line, "line-%d", rand_r(seed) % LINES);
        event.region = text_of(region);
        event.rep = text_of(rep);
        event.channel = text_of(channels[rand_r(seed) % CHANNELS]);
        if (types[i] == EVENT_SALE_COMPLETED)
            event.sale = (struct event_sale){.items = &item, .item_count = 1};
        if (types[i] == EVENT_SERVICE_RATED)
            event.rated = (struct event_rated){.scale = SCALE_CSAT, .score = 1 + rand_r(seed) % 5};
        ledger_add(ledger, partition, i, &event);
    }
}

struct sizes {
    int64_t sum;
    size_t smallest, largest;
};

static void write_word(struct text word)
{
    printf("$%zu\r\n", word.len);
    fwrite(word.at, 1, word.len, stdout);
    printf("\r\n");
}

static void write_command(struct text state, int32_t partition, const char *id)
{
    char key[128];
    snprintf(key, sizeof key, "tandem:{main.0}:c:%d:%s", (int)partition, id);
    printf("*3\r\n");
    write_word(text_of("SET"));
    write_word(text_of(key));
    write_word(state);
}

static void write_field(const char *key, struct text field, const char *value)
{
    printf("*4\r\n");
    write_word(text_of("HSET"));
    write_word(text_of(key));
    write_word(field);
    write_word(text_of(value));
}

static void write_shard(const struct dictionary *names)
{
    for (uint32_t id = 1; id <= dictionary_count(names); id++) {
        char number[16];
        snprintf(number, sizeof number, "%u", dictionary_number(names, id));
        write_field("tandem:{main.0}:names", dictionary_name(names, id), number);
    }
    write_field("tandem:{main.0}:position:customers", text_of("definition"),
                "ledger.from=\nledger.limit=2000\nledger.shards=1\n");
    write_field("tandem:{main.0}:position:customers", text_of("token"),
                "1700000000000-0123456789abcdef:0123456789abcdef");
}

static void write_customer(struct world *world, int number, unsigned *seed, bool commands,
                           struct sizes *sizes)
{
    struct shard *shard = &world->shards[0];
    struct text state;
    struct error err;
    char id[32];
    snprintf(id, sizeof id, "c-%07d", number);
    five_events(shard->ledger, number % 4, id, seed);
    number_names(shard);
    must(ledger_apply(shard->ledger, world->tally, &err), &err);
    ledger_state(shard->ledger, 0, &state);
    if (commands)
        write_command(state, number % 4, id);
    sizes->sum += (int64_t)state.len;
    sizes->smallest = state.len < sizes->smallest ? state.len : sizes->smallest;
    sizes->largest = state.len > sizes->largest ? state.len : sizes->largest;
    ledger_reset(shard->ledger);
    tally_reset(world->tally);
}

static void make_customers(int customers, bool commands)
{
    struct sizes sizes = {.smallest = SIZE_MAX};
    struct world world;
    unsigned seed = 1;
    json_t *in = json_pack("{s:s, s:s, s:i, s:i}", "timezone", "Europe/Bucharest", "scopes",
                           "region,channel,rep,line", "limit", 2000, "shards", 1);
    open_world(&world, in);
    for (int i = 0; i < customers; i++)
        write_customer(&world, i, &seed, commands, &sizes);
    if (commands)
        write_shard(world.shards[0].names);
    else
        printf("{\"customers\":%d,\"events\":%d,\"bytes_mean\":%lld,\"bytes_min\":%zu,"
               "\"bytes_max\":%zu}\n",
               customers, FIVE, (long long)(sizes.sum / customers), sizes.smallest, sizes.largest);
    close_world(&world);
    json_decref(in);
}

int main(int argc, char **argv)
{
    int customers = argc == 3 ? atoi(argv[2]) : 0;
    if (argc == 2 && strcmp(argv[1], "count") == 0)
        count();
    else if (customers > 0 && strcmp(argv[1], "sizes") == 0)
        make_customers(customers, false);
    else if (customers > 0 && strcmp(argv[1], "commands") == 0)
        make_customers(customers, true);
    else
        die("count | sizes N | commands N");
    return fflush(stdout) == 0 ? 0 : 1;
}
