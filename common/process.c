#include "common/process.h"

#include "common/clock.h"
#include "common/exposition.h"
#include "common/version.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

static int64_t resident_bytes(void)
{
    long long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) {
        return 0;
    }
    if (fscanf(file, "%lld %lld", &total, &resident) != 2) {
        resident = 0;
    }
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static int64_t open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = 0;
    while (folder && readdir(folder)) {
        count++;
    }
    if (folder) {
        closedir(folder);
    }
    return count > 3 ? count - 3 : 0; /* not ".", ".." and the folder itself */
}

static int64_t cpu_ms(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (int64_t)spent.tv_sec * 1000 + spent.tv_nsec / 1000000;
}

void process_metrics(const char *role, FILE *out)
{
    exposition_family(out, "tandem_build_info", "gauge", "1, with the version and the role.");
    exposition_int(out, "tandem_build_info", 1, "version", TANDEM_VERSION, "role", role, NULL);
    exposition_family(out, "process_resident_memory_bytes", "gauge", "Resident memory.");
    exposition_int(out, "process_resident_memory_bytes", resident_bytes(), NULL);
    exposition_family(out, "process_cpu_seconds_total", "counter",
                      "Processor time spent, user and system.");
    exposition_ms(out, "process_cpu_seconds_total", cpu_ms(), NULL);
    exposition_family(out, "process_open_fds", "gauge", "Open file descriptors.");
    exposition_int(out, "process_open_fds", open_files(), NULL);
}
