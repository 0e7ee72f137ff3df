#include "consumers/reporter/webhook.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_MIN = 16, SECRET_MAX = 4096, CONNECT_MS = 5000, WHOLE_MS = 10000 };

struct webhook {
    CURLM *multi;
    CURL *easy; /* NULL: nothing is under way */
    struct curl_slist *headers;
    const char *url;
    unsigned char secret[SECRET_MAX];
    size_t secret_length;
    char error[CURL_ERROR_SIZE];
};

/* "whsec_<base64>" as Standard Webhooks writes secrets; anything else is taken as it is. */
static int take_secret(struct webhook *webhook, const char *text, size_t length, const char *path,
                       struct error *err)
{
    static const char prefix[] = "whsec_";
    size_t skip = sizeof prefix - 1;
    memcpy(webhook->secret, text, length);
    webhook->secret_length = length;
    if (length > skip && memcmp(text, prefix, skip) == 0) {
        int bytes = EVP_DecodeBlock(webhook->secret, (const unsigned char *)text + skip,
                                    (int)(length - skip));
        size_t padding = text[length - 1] != '=' ? 0 : text[length - 2] != '=' ? 1 : 2;
        webhook->secret_length = bytes < 0 ? 0 : (size_t)bytes - padding;
    }
    if (webhook->secret_length < SECRET_MIN) {
        return error_set(err, ERROR_USAGE, "%s: the secret must have at least %d bytes", path,
                         SECRET_MIN);
    }
    return 0;
}

static int read_secret(struct webhook *webhook, const char *path, struct error *err)
{
    char text[SECRET_MAX];
    if (!*path) {
        return error_set(err, ERROR_USAGE, "webhook.url needs webhook.secret.file");
    }
    FILE *file = fopen(path, "re");
    if (!file) {
        return error_set(err, ERROR_USAGE, "%s: %s", path, strerror(errno));
    }
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    while (length > 0 && strchr("\r\n \t", text[length - 1])) {
        length--;
    }
    return take_secret(webhook, text, length, path, err);
}

int webhook_open(struct webhook **out, const struct config *config, struct error *err)
{
    const char *url = config->webhook_url;
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) {
        return error_set(err, ERROR_USAGE, "webhook.url: begins with neither https:// nor http://");
    }
    struct webhook *webhook = calloc(1, sizeof *webhook);
    if (!webhook) {
        return error_memory(err);
    }
    webhook->url = url;
    if (read_secret(webhook, config->webhook_secret_file, err) != 0) {
        webhook_free(webhook);
        return -1;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    webhook->multi = curl_multi_init();
    if (!webhook->multi) {
        webhook_free(webhook);
        return error_memory(err);
    }
    *out = webhook;
    return 0;
}

void webhook_drop(struct webhook *webhook)
{
    if (webhook->easy) {
        curl_multi_remove_handle(webhook->multi, webhook->easy);
        curl_easy_cleanup(webhook->easy);
    }
    curl_slist_free_all(webhook->headers);
    webhook->easy = NULL;
    webhook->headers = NULL;
}

void webhook_free(struct webhook *webhook)
{
    if (!webhook) {
        return;
    }
    webhook_drop(webhook);
    if (webhook->multi) {
        curl_multi_cleanup(webhook->multi);
    }
    OPENSSL_cleanse(webhook->secret, sizeof webhook->secret);
    free(webhook);
}

bool webhook_busy(const struct webhook *webhook)
{
    return webhook->easy != NULL;
}

/* What the receiver answers is of no interest. */
static size_t drop(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static int add_header(struct webhook *webhook, const char *name, const char *value,
                      struct error *err)
{
    char line[512];
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(webhook->headers, line);
    if (!longer) {
        return error_memory(err);
    }
    webhook->headers = longer;
    return 0;
}

static int sign(const struct webhook *webhook, const char *id, const char *timestamp,
                const char *body, size_t length, char out[64], struct error *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length = 0;
    size_t head = strlen(id) + strlen(timestamp) + 2;
    char *text = malloc(head + length + 1);
    if (!text) {
        return error_memory(err);
    }
    snprintf(text, head + 1, "%s.%s.", id, timestamp);
    memcpy(text + head, body, length);
    const unsigned char *done =
        HMAC(EVP_sha256(), webhook->secret, (int)webhook->secret_length,
             (const unsigned char *)text, head + length, digest, &digest_length);
    free(text);
    if (!done) {
        return error_set(err, ERROR_SYSTEM, "cannot sign");
    }
    memcpy(out, "v1,", 3);
    EVP_EncodeBlock((unsigned char *)out + 3, digest, (int)digest_length);
    return 0;
}

static int make_headers(struct webhook *webhook, const char *id, int64_t now_s, const char *body,
                        size_t length, struct error *err)
{
    char timestamp[24], signature[64];
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)now_s);
    if (sign(webhook, id, timestamp, body, length, signature, err) != 0 ||
        add_header(webhook, "Content-Type", "application/cloudevents+json; charset=utf-8", err) ||
        add_header(webhook, "webhook-id", id, err) ||
        add_header(webhook, "webhook-timestamp", timestamp, err) ||
        add_header(webhook, "webhook-signature", signature, err)) {
        return -1;
    }
    return add_header(webhook, "Expect", "", err);
}

static void set_up(struct webhook *webhook, const char *body, size_t length)
{
    CURL *easy = webhook->easy;
    webhook->error[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_URL, webhook->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#endif
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, webhook->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tandem");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)length);
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, webhook->error);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)WHOLE_MS);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

int webhook_send(struct webhook *webhook, const char *id, int64_t now_s, const char *body,
                 size_t length, struct error *err)
{
    webhook->easy = curl_easy_init();
    if (!webhook->easy || make_headers(webhook, id, now_s, body, length, err) != 0) {
        webhook_drop(webhook);
        return error_memory(err);
    }
    set_up(webhook, body, length);
    curl_multi_add_handle(webhook->multi, webhook->easy);
    return 0;
}

static enum webhook_answer judge(struct webhook *webhook, CURLcode code, int64_t *after_s,
                                 struct error *err)
{
    long status = 0;
    curl_off_t after = 0;
    curl_easy_getinfo(webhook->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(webhook->easy, CURLINFO_RETRY_AFTER, &after);
    *after_s = after;
    if (code == CURLE_OK && status >= 200 && status < 300) {
        return WEBHOOK_TAKEN;
    }
    if (code == CURLE_OK) {
        error_retry(err, ERROR_SYSTEM, "the receiver answered %ld", status);
    } else {
        error_retry(err, ERROR_SYSTEM, "%.150s",
                    webhook->error[0] ? webhook->error : curl_easy_strerror(code));
    }
    return WEBHOOK_REFUSED;
}

enum webhook_answer webhook_poll(struct webhook *webhook, int64_t *after_s, struct error *err)
{
    int running = 0, left = 0;
    *after_s = 0;
    curl_multi_perform(webhook->multi, &running);
    const CURLMsg *message = curl_multi_info_read(webhook->multi, &left);
    if (!message || message->msg != CURLMSG_DONE) {
        return WEBHOOK_PENDING;
    }
    enum webhook_answer answer = judge(webhook, message->data.result, after_s, err);
    webhook_drop(webhook);
    return answer;
}
