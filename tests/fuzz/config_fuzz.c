/* config_fuzz - any bytes as a properties file. What was taken is written, and read again the same. */
#include "common/config.h"
#include "fuzz.h"

static char *written(const struct config *config)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);
    config_write(config, file);
    fclose(file);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL, *again = NULL;
    struct error err;
    int fd;
    if (config_open(&config, &err) != 0 || config_open(&again, &err) != 0) {
        abort();
    }
    const char *path = fuzz_file(data, size, &fd);
    int rc = config_read(config, path, &err) || config_check(config, &err);
    close(fd);
    if (!rc) {
        char *text = written(config);
        path = fuzz_file((const uint8_t *)text, strlen(text), &fd);
        if (config_read(again, path, &err) != 0) {
            abort();
        }
        char *same = written(again);
        if (!strstr(text, "*") && strcmp(text, same) != 0) { /* but secrets are masked */
            abort();
        }
        close(fd);
        free(text);
        free(same);
    }
    config_free(config);
    config_free(again);
    return 0;
}
