/*
 * keeper WAY SIZE [NODE]: as an ordinary user, keeps hold of the buffer that is its descriptor 3 in one named way, and
 * lets go of everything else. Says how that ended:
 *
 *   refused CALL ERRNO   the kernel did not let it
 *   ended                the kernel did it, and nothing was left of it
 *   kept pages           it reads the buffer's own bytes
 *   kept copy            it reads bytes that are not the buffer's
 *   kept unreadable      it has something, which leads to no bytes
 *
 * Then, for each line that it reads: "peek" answers the first 64 bytes of three places (the beginning, the middle and
 * the last page) in hex, or "-" for each that cannot be read; "poke" overwrites them, and answers how many it could.
 */
#define _GNU_SOURCE
#include "keeper/cameras.h"
#include "keeper/cards.h"
#include "keeper/io-uring.h"
#include "keeper/pins.h"
#include "keeper/processes.h"
#include "keeper/references.h"

static const struct way WAYS[] = {
	{ "open", keep_open, read_open, write_open },
	{ "reopened", keep_reopened, read_open, write_open },
	{ "mapping", keep_mapping, read_kept, write_kept },
	{ "mremap", keep_mremap, read_kept, write_kept },
	{ "remap_file_pages", keep_remap_file_pages, read_kept, write_kept },
	{ "madvise", keep_madvise, NULL, NULL },
	{ "pageout", keep_pageout, NULL, NULL },
	{ "map_files", keep_map_files, read_open, write_open },
	{ "userfaultfd", keep_userfaultfd, NULL, NULL },
	{ "scm-in-flight", keep_scm, read_scm, write_scm },
	{ "scm-cycle", keep_scm_cycle, NULL, NULL },
	{ "epoll", keep_epoll, NULL, NULL },
	{ "sync_file", keep_sync_file, NULL, NULL },
	{ "vmsplice", keep_vmsplice, read_vmsplice, NULL },
	{ "vmsplice-gift", keep_gift, read_gift, NULL },
	{ "tee", keep_tee, read_vmsplice, NULL },
	{ "spliced-socket", keep_spliced_socket, read_socket, NULL },
	{ "zerocopy", keep_zerocopy, read_socket, NULL },
	{ "direct-write", keep_direct_write, NULL, NULL },
	{ "io_uring-fixed", keep_fixed_buffer, read_fixed, write_fixed },
	{ "io_uring-file", keep_fixed_file, NULL, NULL },
	{ "fork", keep_fork, read_kept, write_kept },
	{ "process_vm_readv", begin_sibling, read_vm, write_vm },
	{ "proc-mem", keep_proc_mem, read_mem, write_mem },
	{ "proc-mem-dead", keep_dead_mem, read_mem, write_mem },
	{ "ptrace", keep_ptrace, read_ptrace, write_ptrace },
	{ "pidfd_getfd", keep_pidfd_getfd, read_open, write_open },
	{ "core", keep_core, read_core, NULL },
	{ "gem-handle", keep_handle, read_handle, write_handle },
	{ "dumb-map", keep_card_mapping, read_kept, write_kept },
	{ "flink", keep_flink, read_handle, write_handle },
	{ "framebuffer", keep_framebuffer, read_framebuffer, write_framebuffer },
	{ "v4l2-dmabuf", keep_queued_dmabuf, NULL, write_frame },
	{ "v4l2-userptr", keep_queued_userptr, NULL, write_frame },
};

static const struct way *way_named(const char *name)
{
	for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++)
		if (strcmp(WAYS[i].name, name) == 0)
			return &WAYS[i];
	return NULL;
}

// Computed where it stands, so that nothing else in this process has the same bytes. Never ASCII, unlike a secret.
static void mark(struct held *held, int generation)
{
	for (int place = 0; held->map != NULL && place < PLACES; place++)
		for (int i = 0; i < GLIMPSE; i++)
			held->map[place_offset(held, place) + i] = 0x80 | (7 * i + 31 * place + 57 * generation);
}

static const char *what_is_kept(const struct way *way, struct held *held)
{
	unsigned char bytes[GLIMPSE];
	for (int place = 0; place < PLACES; place++) {
		if (way->read == NULL || held->map == NULL || way->read(held, place, bytes) < 0)
			return "unreadable";
		if (memcmp(bytes, held->map + place_offset(held, place), GLIMPSE) != 0)
			return "copy";
	}
	return "pages";
}

static void peek(const struct way *way, struct held *held)
{
	unsigned char bytes[GLIMPSE];
	for (int place = 0; place < PLACES; place++) {
		if (place > 0)
			putchar(' ');
		if (way->read == NULL || way->read(held, place, bytes) < 0) {
			putchar('-');
			continue;
		}
		for (int i = 0; i < GLIMPSE; i++)
			printf("%02x", bytes[i]);
	}
	putchar('\n');
}

static void poke(const struct way *way, struct held *held)
{
	unsigned char bytes[GLIMPSE];
	int done = 0;
	memset(bytes, 0xee, sizeof bytes);
	for (int place = 0; place < PLACES; place++)
		done += way->write != NULL && way->write(held, place, bytes) == 0;
	printf("%d\n", done);
}

int main(int argc, char **argv)
{
	const struct way *way = argc < 3 ? NULL : way_named(argv[1]);
	if (way == NULL) {
		fputs("keeper WAY SIZE [NODE]\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct held held = { .fd = 3, .size = strtoul(argv[2], NULL, 10), .node = argc > 3 ? argv[3] : "" };
	held.map = map_whole(held.fd, held.size, 0);
	mark(&held, 1);
	int answer = held.map == NULL ? refused(&held, "mmap") : way->keep(&held);
	if (answer == REFUSED) {
		printf("refused %s %d\n", held.call, held.error);
		return 0;
	}
	if (answer == ENDED) {
		puts("ended");
		return 0;
	}
	mark(&held, 2);
	const char *kept = what_is_kept(way, &held);
	if (held.map != NULL)
		munmap(held.map, held.size);
	close(held.fd);
	printf("kept %s\n", kept);
	char line[16];
	while (fgets(line, sizeof line, stdin) != NULL)
		if (strcmp(line, "peek\n") == 0)
			peek(way, &held);
		else
			poke(way, &held);
	return 0;
}
