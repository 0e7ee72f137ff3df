/* double_test's calls for a shard of the ledger: names, customers' states, who was forgotten. */
#include "double.h"
#include "forget_lua.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

static const char *const customers[] = {"c-1", "c-2", "c-3"};

static void ask_names(void)
{
    char key[96], field[160];
    struct error err = {0};
    struct store_names names;
    if (store_names(any_store(), &names, &err) != STORE_DONE)
        die("names: %s", err.text);
    if (names.version != test.memory->ledger ||
        names.forgotten != memory_forgot_somebody(test.memory))
        die("the names have another version in Redis, or others were forgotten");
    snprintf(key, sizeof key, "%snames", test.prefix);
    for (size_t i = 0; i < names.count; i++) {
        snprintf(field, sizeof field, "%.*s", TEXT_ARG(names.list[i].name));
        compare_value(MEMORY_NUMBER, key, field, names.list[i].number);
    }
    store_names_clear(&names);
}

static void compare_customer(const struct store_customer *real)
{
    int64_t offsets[SIDES] = {INT64_MAX, INT64_MAX};
    memory_tomb(test.memory, real->partition, real->id, offsets);
    if (!text_equal(real->state, memory_state(test.memory, real->partition, real->id)) ||
        offsets[SIDE_SALE] != real->forgotten[SIDE_SALE] ||
        offsets[SIDE_SERVICE] != real->forgotten[SIDE_SERVICE])
        die("customer %.*s of partition %" PRId32 " is another in Redis than in the double",
            TEXT_ARG(real->id), real->partition);
}

static void ask_customers(void)
{
    struct error err = {0};
    struct store_customer asked[6];
    for (int i = 0; i < 6; i++)
        asked[i] = (struct store_customer){.partition = 1 + 2 * (i / 3),
                                           .id = text_of(customers[i % 3])};
    if (store_fetch(any_store(), asked, 6, true, &err) != STORE_DONE)
        die("customers: %s", err.text);
    for (int i = 0; i < 6; i++)
        compare_customer(&asked[i]);
}

static void forget_a_customer(void)
{
    char keys[4][160], partition[12], field[64], fresh[17];
    const char *customer = customers[dice(3)];
    const char *token = chance(100) || !test.memory->exists ? "none" : test.memory->token;
    XXH128_hash_t hash = XXH3_128bits(customer, strlen(customer));
    uint64_t version = (uint64_t)dice(1 << 30) << 32 | (uint64_t)(dice(1 << 30) + 1);
    int p = 1 + 2 * dice(2);
    struct error err = {0};
    redisReply *reply;
    snprintf(keys[0], sizeof keys[0], "%sposition:customers", test.prefix);
    snprintf(keys[1], sizeof keys[1], "%sforgotten", test.prefix);
    snprintf(keys[2], sizeof keys[2], "%sc:%d:%s", test.prefix, p, customer);
    snprintf(keys[3], sizeof keys[3], "%srebuild:position:customers", test.prefix);
    snprintf(partition, sizeof partition, "%d", p);
    snprintf(field, sizeof field, "%d:%016" PRIx64 "%016" PRIx64, p, hash.high64, hash.low64);
    snprintf(fresh, sizeof fresh, "%016" PRIx64, version);
    const char *argv[] = {"EVAL",  forget_lua, "4",   keys[0],   keys[1], keys[2],
                          keys[3], token,      partition, field, fresh};
    if (redis_call(test.redis, &reply, &err, 11, argv, NULL) != REDIS_OK)
        die("forget: %s", err.text);
    const char *known = memory_forget(test.memory, token, p, text_of(customer), version);
    if (strcmp(reply->element[0]->str, known) != 0)
        die("forget: Redis answers %s, the double %s", reply->element[0]->str, known);
    freeReplyObject(reply);
}

void ledger_call(void)
{
    int what = dice(3);
    if (what == 0)
        ask_names();
    else if (what == 1)
        ask_customers();
    else
        forget_a_customer();
}

void ledger_add_to_batch(void)
{
    char name[24], state[40];
    test.batch.ledger = test.memory->ledger;
    if (chance(60))
        test.batch.ledger = chance(500) ? 0 : test.batch.ledger + 1;
    for (int n = chance(200) ? 1 + dice(3) : 0; n > 0; n--) {
        snprintf(name, sizeof name, "region=r%d", dice(20));
        batch_add_name(&test.batch, text_of(name), (uint32_t)(1 + dice(1000)));
    }
    for (int n = dice(4); n > 0; n--) {
        size_t len = chance(200) ? 0 : 1 + (size_t)dice(sizeof state - 1);
        for (size_t i = 0; i < len; i++)
            state[i] = (char)dice(256);
        batch_add_state(&test.batch, 1 + 2 * dice(2), text_of(customers[dice(3)]),
                        (struct text){state, len});
    }
}
