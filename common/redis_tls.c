#include "common/redis_tls.h"

#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

static int openssl_failed(const char *what, struct error *err)
{
    char text[256] = "unknown error";
    unsigned long code = ERR_get_error();
    if (code) {
        ERR_error_string_n(code, text, sizeof text);
    }
    ERR_clear_error();
    return error_set(err, ERROR_REDIS, "TLS: %s: %s", what, text);
}

static int trust(SSL_CTX *ctx, const char *ca_file, struct error *err)
{
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
        return openssl_failed("TLS 1.2", err);
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (ca_file[0] == '\0') {
        return SSL_CTX_set_default_verify_paths(ctx) == 1
                   ? 0
                   : openssl_failed("the system's certificates", err);
    }
    return SSL_CTX_load_verify_locations(ctx, ca_file, NULL) == 1 ? 0
                                                                  : openssl_failed(ca_file, err);
}

static int present(SSL_CTX *ctx, const struct redis_tls *tls, struct error *err)
{
    if (tls->cert_file[0] == '\0') {
        return 0;
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, tls->cert_file) != 1) {
        return openssl_failed(tls->cert_file, err);
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, tls->key_file, SSL_FILETYPE_PEM) != 1) {
        return openssl_failed(tls->key_file, err);
    }
    return 0;
}

/* An address is looked for among the certificate's addresses, a name among its names. */
static int expect(SSL *ssl, const char *host, struct error *err)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1) {
        return 0;
    }
    ERR_clear_error();
    if (SSL_set1_host(ssl, host) != 1 || SSL_set_tlsext_host_name(ssl, host) != 1) {
        return openssl_failed(host, err);
    }
    return 0;
}

int redis_tls_start(redisContext *context, const char *host, const struct redis_tls *tls,
                    struct error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = NULL;
    int rc = -1;
    if (!ctx) {
        rc = openssl_failed("client", err);
    } else if (trust(ctx, tls->ca_file, err) == 0 && present(ctx, tls, err) == 0) {
        ssl = SSL_new(ctx);
        rc = ssl ? expect(ssl, host, err) : openssl_failed("session", err);
    }
    SSL_CTX_free(ctx); /* ssl holds its own reference */
    if (rc != 0) {
        SSL_free(ssl);
        return -1;
    }
    if (redisInitiateSSL(context, ssl) == REDIS_OK) {
        return 0; /* the context owns ssl now */
    }
    long verdict = SSL_get_verify_result(ssl);
    SSL_free(ssl);
    if (verdict != X509_V_OK) {
        return error_set(err, ERROR_REDIS, "TLS: the server's certificate: %s (see redis.ca.file)",
                         X509_verify_cert_error_string(verdict));
    }
    if (strstr(context->errstr, "wrong version number")) {
        return error_set(err, ERROR_REDIS, "TLS: the port speaks no TLS (redis:// is without)");
    }
    return error_retry(err, ERROR_REDIS,
                       "TLS: %s; perhaps the port speaks no TLS (redis:// is "
                       "without)",
                       context->errstr);
}
