// check serve PORT
// check ask PORT CHECKS RATE [keep]
//
// The least that an HTTP server and an HTTP check can do: the floor that the sidecar's cost is compared with. The
// server answers each read(2) with 200 and closes if it was asked to, unless STAY is set, which leaves that to the
// other side; /count is answered with how many there were so far. The check is one socket(2), connect(2), write(2),
// read(2) to the end and close(2), RATE times a second, on one connection with "keep". Prints microseconds of CPU a
// check.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:20000\r\nAccept: */*\r\nUser-Agent: conductor-health/0.1.0\r\n"

static struct sockaddr_in loopback(const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((unsigned short)atoi(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void add(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int serve(const char *port) {
    static const char closing[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    static const char staying[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    struct sockaddr_in address = loopback(port);
    struct epoll_event events[64];
    char buffer[8192];
    int stays = getenv("STAY") != NULL;
    long count = 0;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
        return perror(port), 1;
    add(epoll, listener);
    for (;;) {
        int ready = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                for (int peer; (peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
                    add(epoll, peer);
                continue;
            }
            ssize_t length = read(fd, buffer, sizeof buffer - 1);
            if (length <= 0) {
                close(fd);
                continue;
            }
            buffer[length] = 0;
            int is_last = strcasestr(buffer, "connection: close") != NULL;
            count++;
            if (!strncmp(buffer, "GET /count ", 11)) {
                length = snprintf(buffer, sizeof buffer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%ld\n", count);
                if (write(fd, buffer, (size_t)length) < 0)
                    perror("write");
                close(fd);
                continue;
            }
            ssize_t done = is_last ? write(fd, closing, sizeof closing - 1) : write(fd, staying, sizeof staying - 1);
            if ((is_last && !stays) || done < 0)
                close(fd);
        }
    }
}

static long long cpu_nanoseconds(void) {
    char text[128] = "";
    int file = open("/proc/self/schedstat", O_RDONLY);
    if (read(file, text, sizeof text - 1) < 0)
        perror("schedstat");
    close(file);
    return atoll(text);
}

static int ask(const char *port, int checks, int rate, int keep) {
    static const char closing[] = HEAD "Connection: close\r\n\r\n", staying[] = HEAD "Connection: keep-alive\r\n\r\n";
    struct sockaddr_in address = loopback(port);
    struct timespec due;
    char buffer[4096];
    int peer = -1, failed = 0;
    long long before = cpu_nanoseconds();
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (int i = 0; i < checks; i++) {
        if (rate) {
            due.tv_nsec += 1000000000 / rate;
            due.tv_sec += due.tv_nsec / 1000000000;
            due.tv_nsec %= 1000000000;
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        }
        if (peer < 0) {
            peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (connect(peer, (struct sockaddr *)&address, sizeof address))
                return perror("connect"), 1;
        }
        ssize_t got = 0, more = keep ? write(peer, staying, sizeof staying - 1) : write(peer, closing, sizeof closing - 1);
        while (more > 0 && (more = read(peer, buffer + got, sizeof buffer - (size_t)got)) > 0) {
            got += more;
            if (keep)
                break;
        }
        failed += got < 12 || memcmp(buffer + 9, "200", 3);
        if (!keep) {
            close(peer);
            peer = -1;
        }
    }
    printf("%.2f us of CPU a check, %d failed\n", (double)(cpu_nanoseconds() - before) / 1e3 / checks, failed);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "serve"))
        return serve(argv[2]);
    if (argc >= 5 && !strcmp(argv[1], "ask"))
        return ask(argv[2], atoi(argv[3]), atoi(argv[4]), argc > 5);
    return fputs("check serve PORT | check ask PORT CHECKS RATE [keep]\n", stderr), 64;
}
