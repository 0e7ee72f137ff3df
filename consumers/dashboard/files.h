/* files.h - the files of the page, as they were when tandem was built. */
#ifndef TANDEM_FILES_H
#define TANDEM_FILES_H

#include <stddef.h>

struct file {
    const char *path; /* "/app.js" */
    const char *type; /* of its content */
    const char *data;
    size_t length;
};

/* The file at a path; "/" is the page. NULL: there is none. */
const struct file *files_find(const char *path);

#endif
