#include "consumers/privacy/forget.h"

#include "forget_lua.h"

#include "common/random.h"
#include "common/redis_layout.h"
#include "common/store.h"
#include "consumers/privacy/customer_command.h"
#include "consumers/privacy/dossier.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

struct forget_options {
    bool yes;
};

struct forget {
    const struct config *config;
    struct redis *redis;
    struct dossier dossier;
    struct redis_script script;
};

/* ---- asking ---- */

static void tell_page(const struct dossier_page *page)
{
    const struct customer *c = &page->customer;
    printf("  partition %" PRId32 ": ", page->partition);
    if (page->known)
        printf("%zu bytes, with %zu purchases, %zu ratings, %zu spans of contacts, %zu of "
               "interactions\n",
               page->bytes, c->sale_count, c->rating_count, c->contacts.count,
               c->interactions.count);
    else
        printf("nothing but the mark that it was forgotten\n");
}

/* A yes of somebody who has seen what it is about. */
static int ask(const struct forget *f, struct error *err)
{
    char line[16] = "";
    const struct dossier *d = &f->dossier;
    if (!isatty(STDIN_FILENO)) {
        return error_set(err, ERROR_USAGE,
                         "--yes is needed where nobody can be asked: what is forgotten cannot be "
                         "brought back");
    }
    printf("Of customer %s of business %s is known:\n", d->id, d->business);
    for (size_t i = 0; i < d->page_count; i++)
        if (d->pages[i].known || d->pages[i].forgotten)
            tell_page(&d->pages[i]);
    printf("Forget it? It cannot be brought back. [y/N] ");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y'))
        return 0;
    return error_set(err, ERROR_STOPPED, "nothing was changed");
}

/* ---- forgetting ---- */

static int explain(const struct dossier_page *page, const char *answer, struct error *err)
{
    if (strcmp(answer, "foreign") == 0)
        return error_set(err, ERROR_STORE,
                         "partition %" PRId32 ": the ledger was made anew just now; run it again",
                         page->partition);
    if (strcmp(answer, "ahead") == 0)
        return error_set(err, ERROR_STORE,
                         "partition %" PRId32 ": a rebuild under way has counted further than the "
                         "workers: run it again when they have caught up, or after the rebuild",
                         page->partition);
    if (strcmp(answer, "damaged") == 0)
        return error_set(err, ERROR_STORE,
                         "partition %" PRId32 ": the ledger has no positions of it; it is damaged",
                         page->partition);
    return error_set(err, ERROR_REDIS, "an answer of an unexpected form");
}

static void tell(const struct dossier *d, const struct dossier_page *page, const redisReply *reply)
{
    bool again = strcmp(reply->element[0]->str, "again") == 0;
    const char *mark = reply->element[1]->str, *colon = strchr(mark, ':');
    printf("partition %" PRId32 ": ", page->partition);
    if (again)
        printf("customer %s was forgotten before", d->id);
    else
        printf("customer %s is forgotten", d->id);
    if (reply->element[2]->integer)
        printf(again ? "; a state that had come back is deleted" : "; the state is deleted");
    printf(".\n  Events from sale offset %.*s and service offset %s on %s anonymous.\n",
           (int)(colon ? colon - mark : 0), mark, colon ? colon + 1 : "",
           again ? "were and stay" : "are");
}

static int forget_page(struct forget *f, const struct dossier_page *page, struct error *err)
{
    const struct dossier *d = &f->dossier;
    char prefix[LEDGER_PREFIX_MAX], keys[4][LEDGER_KEY_MAX], partition[16], field[LEDGER_KEY_MAX];
    char fresh[17];
    redisReply *reply;
    ledger_prefix(prefix, d->business, page->shard);
    snprintf(keys[0], sizeof keys[0], "%sposition:customers", prefix);
    snprintf(keys[1], sizeof keys[1], "%sforgotten", prefix);
    ledger_state_key(keys[2], prefix, page->partition, text_of(d->id));
    snprintf(keys[3], sizeof keys[3], "%s" STORE_REBUILD "position:customers", prefix);
    ledger_forgotten_field(field, page->partition, text_of(d->id));
    snprintf(partition, sizeof partition, "%" PRId32, page->partition);
    snprintf(fresh, sizeof fresh, "%016" PRIx64, random_u64());
    const char *argv[] = {keys[0], keys[1], keys[2], keys[3], page->token, partition, field, fresh};
    if (redis_wait_for(f->redis, f->config, keys[0], err) != 0 ||
        redis_eval(f->redis, &f->script, 4, &reply, err, 8, argv, NULL) != REDIS_OK)
        return -1;
    int rc = 0;
    if (reply->elements == 3 && reply->element[0]->str && reply->element[1]->str)
        tell(d, page, reply);
    else
        rc = explain(page, reply->elements ? reply->element[0]->str : "", err);
    freeReplyObject(reply);
    return rc;
}

static bool switching(const struct dossier *d)
{
    for (size_t i = 0; i < d->page_count; i++)
        if (strstr(d->pages[i].token, STORE_SWITCHING))
            return true;
    return false;
}

/* What a rebuild does to a mark, one script can tell only where both have the same shards. */
static int check_rebuild(const struct dossier *d, struct error *err)
{
    if (switching(d))
        return error_set(err, ERROR_STORE,
                         "a rebuild is being put in place: run it again after it");
    if (d->rebuilt_shards && d->rebuilt_shards != d->shards)
        return error_set(
            err, ERROR_STORE,
            "a rebuild from %d to %d ledger.shards is under way: run it again after it", d->shards,
            d->rebuilt_shards);
    return 0;
}

static int forget(struct forget *f, const struct forget_options *own, struct error *err)
{
    const struct dossier *d = &f->dossier;
    if (dossier_empty(d))
        return customer_command_unknown(d, err);
    if (check_rebuild(d, err) != 0)
        return -1;
    if (!own->yes && ask(f, err) != 0)
        return -1;
    for (size_t i = 0; i < d->page_count; i++)
        if (forget_page(f, &d->pages[i], err) != 0)
            return -1;
    printf("What stays: the events in Kafka, as long as the topics keep them; the counters, which "
           "name nobody;\nand a mark, a hash of the id, by which a rebuild knows. docs/privacy.md "
           "tells more.\n");
    if (fflush(stdout) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot write to standard output");
    return 0;
}

static int run(const struct config *config, const void *options, int argc, char **argv,
               struct error *err)
{
    struct forget f = {.config = config};
    (void)argc;
    if (customer_command_check(argv[0], err) != 0)
        return 2;
    command_catch_signals();
    redis_script_init(&f.script, forget_lua);
    if (redis_open(&f.redis, config, err) != 0)
        return 1;
    int rc = redis_layout(f.redis, config, false, err);
    if (rc == 0)
        rc = dossier_read(&f.dossier, config, f.redis, argv[0], err);
    if (rc == 0)
        rc = forget(&f, options, err);
    dossier_clear(&f.dossier);
    redis_free(f.redis);
    return rc == 0 ? 0 : err->code == ERROR_USAGE ? 2 : 1;
}

static const struct command_option words[] = {
    {"yes", 'y', OPTION_FLAG, NULL, offsetof(struct forget_options, yes), 0, 0,
     "do not ask; needed where standard input is no terminal"},
    {0},
};

static const char *const settings[] = {
    "redis",           "redis.password.file", "redis.ca.file",
    "redis.cert.file", "redis.key.file",      "redis.timeout",
    "business",        "connect.timeout",     NULL,
};

const struct command forget_command = {
    .name = "forget",
    .args = "ID",
    .summary = "Forget one customer",
    .about =
        "Deletes what the ledger holds of a customer, in every partition, and leaves a mark: a\n"
        "hash of the id, and how far both topics were counted. Events of the customer from\n"
        "there on are anonymous, and so are they in a rebuild; those before count in a rebuild\n"
        "as they did. Counters stay: they name nobody. The events in Kafka stay as long as the\n"
        "topics keep them (docs/privacy.md). Workers may go on. Run again it finds the mark,\n"
        "and leaves it where it is.\n"
        "\n"
        "  tandem forget c-1042\n"
        "  tandem forget c-1042 --yes\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct forget_options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
