// floor LIST
//
// The file input and output of a generator and nothing else: how fast it could be if thinking cost nothing. Each
// line of LIST is a letter, and words that end at a blank:
//
//   r PATH         read a file to its end
//   d PATH         make a directory
//   w PATH BYTES   write a new file, with the fewest calls there are: no file beside it, no rename
//   l PATH OLD     make a hard link
//   s PATH TARGET  make a symbolic link
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char buffer[1 << 20];

static char *word(char **at) {
    char *begin = *at, *end = begin;
    while (*end != ' ' && *end != '\n')
        end++;
    *end = 0;
    *at = end + 1;
    return begin;
}

int main(int argc, char **argv) {
    struct stat stat;
    int list = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (list < 0 || fstat(list, &stat) < 0)
        return 2;
    // Private, because words are ended in place.
    char *at = mmap(NULL, stat.st_size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, list, 0);
    if (at == MAP_FAILED)
        return 2;
    for (char *end = at + stat.st_size; at < end;) {
        char what = *word(&at), *path = word(&at);
        int file;
        ssize_t size;
        switch (what) {
        case 'r':
            if ((file = open(path, O_RDONLY | O_CLOEXEC)) < 0)
                return 1;
            while ((size = read(file, buffer, sizeof buffer)) > 0)
                ;
            close(file);
            break;
        case 'd':
            mkdir(path, 0755);
            break;
        case 'w':
            size = atol(word(&at));
            if ((file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) < 0)
                return 1;
            if (size > (ssize_t)sizeof buffer || write(file, buffer, size) != size)
                return 1;
            close(file);
            break;
        case 'l':
            if (link(word(&at), path) < 0)
                return 1;
            break;
        case 's':
            if (symlink(word(&at), path) < 0)
                return 1;
            break;
        default:
            return 2;
        }
    }
    return 0;
}
