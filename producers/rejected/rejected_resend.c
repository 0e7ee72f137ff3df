#include "producers/rejected/rejected_verbs.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/event.h"
#include "common/publisher.h"
#include "producers/rejected/correction.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WAIT_MS = 100, LAST_FLUSH_MS = 10000 };

static const char content_type[] = "application/cloudevents+json; charset=UTF-8";
static const struct record_header structured = {{"content-type", sizeof "content-type" - 1},
                                                {content_type, sizeof content_type - 1}};

struct resend {
    const struct rejected *rejected;
    struct corrections corrections; /* with --reason none: every letter of it */
    size_t left;                    /* corrections whose letter was not met yet */
    struct decoder *decoder;
    struct publisher *publisher;
    struct known *known[SIDES];
    int64_t sent, refused, skipped;
    int rc;
    struct error *err;
};

static void say(struct text key, const char *what, const char *field, const char *detail)
{
    fprintf(stderr, "tandem rejected: ");
    rejected_print(key, stderr);
    fprintf(stderr, ": %s%s%s%s%s\n", what, field[0] ? " " : "", field, detail[0] ? ": " : "",
            detail);
}

static void refuse(struct resend *resend, struct text key, const char *why, const char *field,
                   const char *detail)
{
    resend->refused++;
    say(key, why, field, detail);
}

/* The cookie is a copy of the letter's key. */
static void on_report(void *context, void *cookie, const char *failure)
{
    (void)context;
    if (failure) {
        say(text_of(cookie), "not delivered", "", failure);
    }
    free(cookie);
}

static const char *topic_of(const struct resend *resend, enum side side)
{
    const struct config *config = resend->rejected->config;
    return side == SIDE_SALE ? config->topics_sales : config->topics_service;
}

/* ---- one letter ---- */

/* The record as it would be sent: the letter's, with the value that it should have. A value that is
 * a whole event needs no headers of the letter, which may be what was wrong. */
static struct record make_record(const struct letter *letter, const struct correction *correction)
{
    struct record record = letter->record;
    record.timestamp_ms = clock_wall_ms();
    record.key = (struct text){NULL, 0};
    if (!correction || !correction->value) {
        return record;
    }
    record.value = (struct text){correction->value, correction->value_len};
    if (letter_is_event(record.value)) {
        record.headers = &structured;
        record.header_count = 1;
    }
    return record;
}

static bool own_topic(struct resend *resend, const struct letter *letter)
{
    if (text_is(letter->topic, topic_of(resend, SIDE_SALE)) ||
        text_is(letter->topic, topic_of(resend, SIDE_SERVICE))) {
        return true;
    }
    refuse(resend, letter->key, "its topic is neither topics.sales nor topics.service", "", "");
    return false;
}

static size_t bytes_of(const struct record *record)
{
    size_t bytes = record->value.len;
    for (size_t i = 0; i < record->header_count; i++) {
        bytes += record->headers[i].name.len + record->headers[i].value.len;
    }
    return bytes;
}

/* The judgement that the workers will pass. The key is added to what they measure. */
static bool check(struct resend *resend, const struct letter *letter, const struct record *record,
                  struct event *event)
{
    struct rejection why;
    XXH128_hash_t before;
    bool stated = letter_event_hash(&letter->record, &before);
    switch (decoder_decode(resend->decoder, record, SIDES, event, &why)) {
    case VERDICT_REJECTED:
        refuse(resend, letter->key, reject_name(why.reason), why.field, why.detail);
        return false;
    case VERDICT_VALID:
        break;
    default:
        refuse(resend, letter->key, "a worker would ignore it", "", "");
        return false;
    }
    if (bytes_of(record) + event_key(event).len > EVENT_BYTES_MAX) {
        refuse(resend, letter->key, reject_name(REJECT_TOO_LARGE), "",
               "with key and headers above 65536 bytes");
        return false;
    }
    if (stated && !XXH128_isEqual(before, event_hash(event))) {
        refuse(resend, letter->key, "another source and id than the letter's", "",
               "keep them, or send a new event with tandem emit");
        return false;
    }
    return true;
}

/* A full queue means that the brokers are slow or away; message.timeout.ms ends that. */
static int send(struct resend *resend, const struct letter *letter, const struct record *record,
                const struct event *event)
{
    char *cookie = strndup(letter->key.at, letter->key.len);
    if (!cookie) {
        return error_memory(resend->err);
    }
    while (publisher_send(resend->publisher, topic_of(resend, event_side(event->type)),
                          event_key(event), record->value, record->headers, record->header_count,
                          cookie, WAIT_MS, resend->err)) {
        if (!resend->err->retry || command_stopping()) {
            free(cookie);
            return resend->err->retry ? error_set(resend->err, ERROR_STOPPED, "stopped") : -1;
        }
    }
    publisher_poll(resend->publisher, 0);
    return 0;
}

static int send_once(struct resend *resend, const struct letter *letter,
                     const struct record *record, const struct event *event)
{
    struct known *known = resend->known[event_side(event->type)];
    if (known_has(known, event_hash(event))) {
        resend->skipped++;
        say(letter->key, "stands in its topic already", "", "");
        return 0;
    }
    if (known_add(known, event_hash(event), resend->err) ||
        (!resend->rejected->words->dry_run && send(resend, letter, record, event))) {
        return -1;
    }
    resend->sent++;
    return 0;
}

static bool on_letter(void *context, const struct letter *letter)
{
    struct resend *resend = context;
    struct correction *correction = NULL;
    struct event event;
    if (resend->corrections.count) {
        correction = corrections_find(&resend->corrections, letter->key);
        if (!correction) {
            return true;
        }
        correction->met = true;
        resend->left--;
    }
    struct record record = make_record(letter, correction);
    if (letter->truncated.at && !(correction && correction->value)) {
        refuse(resend, letter->key, "only a part of it was kept", "",
               "send it from where it came, or give its whole value in a file");
    } else if (own_topic(resend, letter) && check(resend, letter, &record, &event)) {
        resend->rc = send_once(resend, letter, &record, &event);
    }
    return resend->rc == 0 && (resend->corrections.count == 0 || resend->left > 0);
}

/* ---- all of them ---- */

static bool is_key(const char *word)
{
    struct text topic;
    int32_t partition;
    int64_t offset;
    return letter_key(text_of(word), &topic, &partition, &offset);
}

/* KEY FILE | FILE | KEY... | nothing with --reason */
static int take_words(struct resend *resend, int argc, char **argv, struct error *err)
{
    struct corrections *corrections = &resend->corrections;
    int rc = 0;
    if (argc == 2 && is_key(argv[0]) && !is_key(argv[1])) {
        rc = corrections_read_value(corrections, argv[0], argv[1], err);
    } else if (argc == 1 && !is_key(argv[0])) {
        rc = corrections_read(corrections, argv[0], err);
    } else {
        for (int i = 0; i < argc && !rc; i++) {
            rc = corrections_add(corrections, text_of(argv[i]), (struct text){NULL, 0}, err);
        }
    }
    rc = rc ? rc : corrections_finish(corrections, err);
    resend->left = corrections->count;
    return rc;
}

static int connect(struct resend *resend, struct error *err)
{
    const struct config *config = resend->rejected->config;
    if (decoder_open(&resend->decoder, config->type_prefix, err) ||
        rejected_read_known(config, resend->known, err)) {
        return -1;
    }
    return resend->rejected->words->dry_run
               ? 0
               : publisher_open(&resend->publisher, config, on_report, resend, err);
}

/* After a signal as far as ten seconds go. */
static void flush(struct resend *resend)
{
    int64_t end_ms = 0;
    while (resend->publisher && publisher_pending(resend->publisher) > 0) {
        if (command_stopping() && end_ms == 0) {
            end_ms = clock_mono_ms() + LAST_FLUSH_MS;
        }
        if (end_ms && clock_mono_ms() > end_ms) {
            return;
        }
        publisher_flush(resend->publisher, WAIT_MS, NULL);
    }
}

static void refuse_unmet(struct resend *resend)
{
    for (size_t i = 0; i < resend->corrections.count; i++) {
        if (!resend->corrections.list[i].met) {
            refuse(resend, text_of(resend->corrections.list[i].key), "no such letter", "", "");
        }
    }
}

/* Always the last line. Returns the exit status. */
static int sum_up(const struct resend *resend, int rc)
{
    int64_t delivered = resend->publisher ? publisher_delivered(resend->publisher) : 0;
    int signal = command_stopping();
    if (resend->rejected->words->dry_run) {
        fprintf(stderr, "good %" PRId64 ", refused %" PRId64 ", skipped %" PRId64 " (dry run)\n",
                resend->sent, resend->refused, resend->skipped);
        return signal ? 128 + signal : rc || resend->refused;
    }
    if (delivered > 0) {
        fprintf(stderr,
                "The letters stay in %s, which only grows: `tandem rejected list --open` leaves "
                "out those that stand in their topic now.\n",
                resend->rejected->config->topics_rejected);
    }
    fprintf(stderr,
            "sent %" PRId64 ", delivered %" PRId64 ", refused %" PRId64 ", skipped %" PRId64 "\n",
            resend->sent, delivered, resend->refused, resend->skipped);
    return signal ? 128 + signal : rc || resend->refused || delivered != resend->sent;
}

static int run(struct resend *resend, struct error *err)
{
    if (connect(resend, err)) {
        return 1;
    }
    int rc = letters_read(resend->rejected->config, resend->rejected->filter, on_letter, resend,
                          NULL, err);
    rc = rc ? rc : resend->rc;
    flush(resend);
    if (rc) {
        fprintf(stderr, "tandem rejected: %s\n", err->text);
        err->code = ERROR_NONE; /* said */
    } else {
        refuse_unmet(resend);
    }
    return sum_up(resend, rc);
}

int rejected_resend(const struct rejected *rejected, int argc, char **argv, struct error *err)
{
    struct resend resend = {.rejected = rejected, .err = err};
    int status = take_words(&resend, argc, argv, err) ? 1 : run(&resend, err);
    publisher_free(resend.publisher);
    decoder_free(resend.decoder);
    corrections_clear(&resend.corrections);
    for (int side = 0; side < SIDES; side++) {
        known_free(resend.known[side]);
    }
    return status;
}
