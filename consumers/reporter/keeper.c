#include "consumers/reporter/keeper.h"

#include "common/log.h"
#include "consumers/reporter/key.h"

#include <stdlib.h>
#include <string.h>

struct keeper {
    const struct config *config;
    char key[KEY_MAX];
    char *text;
    struct targets *targets;
    char *refused; /* text in Redis that was logged as bad: said once */
};

int keeper_open(struct keeper **out, const struct config *config, struct error *err)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper) {
        return error_memory(err);
    }
    keeper->config = config;
    key_format(keeper->key, config->business, "targets");
    *out = keeper;
    return 0;
}

void keeper_free(struct keeper *keeper)
{
    if (keeper) {
        targets_free(keeper->targets);
        free(keeper->text);
        free(keeper->refused);
        free(keeper);
    }
}

const struct targets *keeper_targets(const struct keeper *keeper)
{
    return keeper->targets;
}

const char *keeper_text(const struct keeper *keeper)
{
    return keeper->text ? keeper->text : "";
}

static void log_mistakes(const struct sentences *mistakes, const char *from)
{
    for (size_t i = 0; mistakes && i < sentences_count(mistakes); i++) {
        log_error("mistake in targets", log_s("from", from),
                  log_s("at", sentences_at(mistakes, i)));
    }
}

static void log_warnings(const struct targets *targets)
{
    struct sentences *warnings = NULL;
    if (targets_warnings(targets, &warnings, NULL) != 0) {
        return;
    }
    for (size_t i = 0; i < sentences_count(warnings); i++) {
        log_warning("targets", log_s("note", sentences_at(warnings, i)));
    }
    sentences_free(warnings);
}

/* From now on these; takes both. */
static void accept(struct keeper *keeper, struct targets *targets, char *text, const char *from)
{
    targets_free(keeper->targets);
    free(keeper->text);
    keeper->targets = targets;
    keeper->text = text;
    log_info("targets in force", log_s("from", from),
             log_i("targets", (int64_t)targets_count(targets)));
    log_warnings(targets);
}

int keeper_read_file(struct keeper *keeper, struct error *err)
{
    const char *path = keeper->config->targets;
    if (path[0] == '\0') {
        return 0;
    }
    struct targets *targets = NULL;
    struct sentences *mistakes = NULL;
    char *text = NULL;
    if (targets_read(&targets, path, keeper->config->scopes, &text, &mistakes, err) != 0) {
        log_mistakes(mistakes, path);
        sentences_free(mistakes);
        free(text);
        return -1;
    }
    accept(keeper, targets, text, path);
    return 0;
}

static int keep(struct keeper *keeper, struct redis *redis, struct error *err)
{
    redisReply *reply = NULL;
    if (redis_callf(redis, &reply, err, "SET %s %s", keeper->key, keeper_text(keeper)) !=
        REDIS_OK) {
        return -1;
    }
    freeReplyObject(reply);
    return 0;
}

/* Takes the text that Redis keeps (NULL: none), if it is another than the one in force. */
static int take(struct keeper *keeper, const char *kept, struct error *err)
{
    if (strcmp(kept ? kept : "", keeper_text(keeper)) == 0 ||
        (keeper->refused && kept && strcmp(kept, keeper->refused) == 0)) {
        return 0;
    }
    char *text = strdup(kept ? kept : "");
    if (!text) {
        return error_memory(err);
    }
    struct targets *targets = NULL;
    struct sentences *mistakes = NULL;
    if (text[0] == '\0') {
        accept(keeper, NULL, text, keeper->key);
    } else if (targets_parse(&targets, text_of(text), keeper->config->scopes, &mistakes, err) ==
               0) {
        accept(keeper, targets, text, keeper->key);
    } else {
        log_mistakes(mistakes, keeper->key);
        free(keeper->refused);
        keeper->refused = text;
    }
    sentences_free(mistakes);
    return 0;
}

int keeper_sync(struct keeper *keeper, struct redis *redis, struct error *err)
{
    bool from_file = keeper->config->targets[0] != '\0';
    redisReply *reply = NULL;
    if (redis_callf(redis, &reply, err, "GET %s", keeper->key) != REDIS_OK) {
        return -1;
    }
    int rc = 0;
    if (!from_file) {
        rc = take(keeper, reply->str, err);
    } else if (!reply->str || strcmp(reply->str, keeper_text(keeper)) != 0) {
        rc = keep(keeper, redis, err);
    }
    freeReplyObject(reply);
    return rc;
}
