/* fuzz.h - what the fuzz targets share. `make fuzz` builds and runs them.
 *
 * A target gets any bytes and must neither crash, hang, leak nor break a rule that it checks with
 * abort(). Each is one parser of bytes that come from somebody else. */
#ifndef TANDEM_TESTS_FUZZ_H
#define TANDEM_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a file without a name on disk; returns its path. Close *fd afterwards. */
static inline const char *fuzz_file(const uint8_t *data, size_t size, int *fd)
{
    static char path[64];
    *fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (*fd < 0 || write(*fd, data, size) != (ssize_t)size) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
    return path;
}

/* The bytes as a string, the caller's to free; it ends at the first zero byte. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
    char *string = malloc(size + 1);
    if (!string) {
        abort();
    }
    memcpy(string, data, size);
    string[size] = 0;
    return string;
}

#endif
