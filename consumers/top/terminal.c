#include "consumers/top/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave[] = "\033[0m\033[?7h\033[?25h\033[?1049l";
static const int ends[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT};
enum { ENDS = sizeof ends / sizeof *ends };

/* Signal handlers can reach nothing else. */
static struct termios before;
static volatile sig_atomic_t stopping, taken;

static void say(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t done = write(STDOUT_FILENO, text, length);
        if (done < 0 && errno != EINTR) {
            return;
        }
        text += done > 0 ? done : 0;
        length -= done > 0 ? (size_t)done : 0;
    }
}

/* Both are safe within a signal handler. */
static void give_back(void)
{
    if (taken) {
        taken = 0;
        say(leave, sizeof leave - 1);
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    }
}

static void take(void)
{
    struct termios raw = before;
    raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    say(enter, sizeof enter - 1);
    taken = 1;
}

static void on_end(int number)
{
    if (stopping) {
        give_back();
        _exit(128 + number);
    }
    stopping = number;
}

static void on_stop(int number)
{
    int kept = errno;
    (void)number;
    give_back();
    raise(SIGSTOP);
    take();
    errno = kept;
}

static void on_size(int number)
{
    (void)number;
}

static void catch (int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

int terminal_open(struct error *err)
{
    if (tcgetattr(STDIN_FILENO, &before) != 0) {
        return error_set(err, ERROR_SYSTEM, "the terminal does not tell its state: %s",
                         strerror(errno));
    }
    for (int i = 0; i < ENDS; i++) {
        catch (ends[i], on_end);
    }
    catch (SIGTSTP, on_stop);
    catch (SIGWINCH, on_size);
    take();
    return 0;
}

void terminal_close(void)
{
    give_back();
}

int terminal_stopping(void)
{
    return stopping;
}

int terminal_key(int64_t wait_ms)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    unsigned char key;
    int ready = poll(&in, 1, (int)wait_ms);
    if (ready <= 0) {
        return 0;
    }
    ssize_t length = read(STDIN_FILENO, &key, 1);
    return length == 1 ? key : length < 0 && errno == EINTR ? 0 : -1;
}

void terminal_show(const char *text)
{
    static const char home[] = "\033[H", line_end[] = "\033[0m\033[K\r\n", rest[] = "\033[0m\033[J";
    struct winsize size = {0};
    int rows = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : 24;
    say(home, sizeof home - 1);
    for (int row = 1; *text && row < rows; row++) {
        size_t length = strcspn(text, "\n");
        say(text, length);
        say(line_end, sizeof line_end - 1);
        text += length + (text[length] == '\n');
    }
    say(rest, sizeof rest - 1);
}
