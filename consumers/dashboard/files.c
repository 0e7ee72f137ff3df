#include "consumers/dashboard/files.h"

#include "page_files.h"

#include <string.h>

static const struct file files[] = {PAGE_FILES};

const struct file *files_find(const char *path)
{
    path = strcmp(path, "/") == 0 ? "/index.html" : path;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(files[i].path, path) == 0) {
            return &files[i];
        }
    }
    return NULL;
}
