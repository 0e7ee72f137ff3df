/* process.h - what Prometheus wants to know of every process: memory, time, files, version. */
#ifndef TANDEM_PROCESS_H
#define TANDEM_PROCESS_H

#include <stdio.h>

/* Writes the families process_... and tandem_build_info. Any thread. */
void process_metrics(const char *role, FILE *out);

#endif
