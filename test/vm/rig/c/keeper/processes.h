// Ways that need a second process.
#ifndef PROCESSES_H
#define PROCESSES_H
#include "held.h"
#include <dirent.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>

// Only the child has the mapping, inherited; it goes on in the place of its parent.
static int keep_fork(struct held *held)
{
	pid_t child = fork();
	if (child < 0)
		return refused(held, "fork");
	if (child > 0) {
		munmap(held->map, held->size);
		close(held->fd);
		waitpid(child, NULL, 0);
		_exit(0);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	held->kept = held->map;
	held->map = map_whole(held->fd, held->size, 0);
	return KEPT;
}

// A sibling that has the mapping and not the descriptor, and waits.
static int begin_sibling(struct held *held)
{
	held->child = fork_bound();
	if (held->child < 0)
		return refused(held, "fork");
	if (held->child == 0) {
		close(held->fd);
		for (;;)
			pause();
	}
	held->kept = held->map;
	return KEPT;
}

static int read_vm(struct held *held, int place, unsigned char *bytes)
{
	struct iovec here = { bytes, GLIMPSE }, there = { held->kept + place_offset(held, place), GLIMPSE };
	return process_vm_readv(held->child, &here, 1, &there, 1, 0) == GLIMPSE ? 0 : -1;
}

static int write_vm(struct held *held, int place, const unsigned char *bytes)
{
	struct iovec here = { (void *)bytes, GLIMPSE }, there = { held->kept + place_offset(held, place), GLIMPSE };
	return process_vm_writev(held->child, &here, 1, &there, 1, 0) == GLIMPSE ? 0 : -1;
}

static int keep_proc_mem(struct held *held)
{
	char path[64];
	if (begin_sibling(held) != KEPT)
		return REFUSED;
	snprintf(path, sizeof path, "/proc/%d/mem", held->child);
	held->own = open(path, O_RDWR | O_CLOEXEC);
	return held->own < 0 ? refused(held, "open") : KEPT;
}

// The memory of a process that is over.
static int keep_dead_mem(struct held *held)
{
	if (keep_proc_mem(held) != KEPT)
		return REFUSED;
	kill(held->child, SIGKILL);
	waitpid(held->child, NULL, 0);
	return KEPT;
}

static int read_mem(struct held *held, int place, unsigned char *bytes)
{
	off_t address = (uintptr_t)held->kept + place_offset(held, place);
	return pread(held->own, bytes, GLIMPSE, address) == GLIMPSE ? 0 : -1;
}

static int write_mem(struct held *held, int place, const unsigned char *bytes)
{
	off_t address = (uintptr_t)held->kept + place_offset(held, place);
	return pwrite(held->own, bytes, GLIMPSE, address) == GLIMPSE ? 0 : -1;
}

static int keep_ptrace(struct held *held)
{
	if (begin_sibling(held) != KEPT)
		return REFUSED;
	if (ptrace(PTRACE_ATTACH, held->child, NULL, NULL) < 0)
		return refused(held, "PTRACE_ATTACH");
	return waitpid(held->child, NULL, 0) < 0 ? refused(held, "waitpid") : KEPT;
}

static int read_ptrace(struct held *held, int place, unsigned char *bytes)
{
	for (size_t done = 0; done < GLIMPSE; done += sizeof(long)) {
		errno = 0;
		long word = ptrace(PTRACE_PEEKDATA, held->child, held->kept + place_offset(held, place) + done, NULL);
		if (errno != 0)
			return -1;
		memcpy(bytes + done, &word, sizeof word);
	}
	return 0;
}

static int write_ptrace(struct held *held, int place, const unsigned char *bytes)
{
	for (size_t done = 0; done < GLIMPSE; done += sizeof(long)) {
		long word;
		memcpy(&word, bytes + done, sizeof word);
		if (ptrace(PTRACE_POKEDATA, held->child, held->kept + place_offset(held, place) + done, word) < 0)
			return -1;
	}
	return 0;
}

// Takes the descriptor from a sibling that never gave it away.
static int keep_pidfd_getfd(struct held *held)
{
	held->child = fork_bound();
	if (held->child < 0)
		return refused(held, "fork");
	if (held->child == 0)
		for (;;)
			pause();
	int pidfd = syscall(SYS_pidfd_open, held->child, 0);
	if (pidfd < 0)
		return refused(held, "pidfd_open");
	held->own = syscall(SYS_pidfd_getfd, pidfd, held->fd, 0);
	if (held->own < 0)
		return refused(held, "pidfd_getfd");
	kill(held->child, SIGKILL);
	waitpid(held->child, NULL, 0);
	close(pidfd);
	return KEPT;
}

static int first_core(const char *directory)
{
	DIR *entries = opendir(directory);
	int file = -1;
	for (struct dirent *entry; entries != NULL && file < 0 && (entry = readdir(entries)) != NULL;)
		if (strncmp(entry->d_name, "core", 4) == 0)
			file = openat(dirfd(entries), entry->d_name, O_RDONLY | O_CLOEXEC);
	if (entries != NULL)
		closedir(entries);
	return file;
}

// The place in a core file of what stands at a place of the mapping, or -1.
static off_t in_core(struct held *held, int place)
{
	unsigned char wanted[GLIMPSE], page[PAGE];
	memcpy(wanted, held->map + place_offset(held, place), GLIMPSE);
	for (off_t at = 0; pread(held->own, page, PAGE, at) == PAGE; at += PAGE)
		if (memcmp(page, wanted, GLIMPSE) == 0)
			return at;
	return -1;
}

static off_t core_places[PLACES];

static int keep_core(struct held *held)
{
	char directory[] = "/tmp/core-XXXXXX";
	if (mkdtemp(directory) == NULL || chdir(directory) < 0)
		return refused(held, "mkdtemp");
	struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };
	if (setrlimit(RLIMIT_CORE, &most) < 0)
		return refused(held, "setrlimit");
	pid_t child = fork_bound();
	if (child == 0)
		abort();
	int status = 0;
	waitpid(child, &status, 0);
	held->own = first_core(directory);
	if (!WCOREDUMP(status) || held->own < 0)
		return ENDED;
	for (int place = 0; place < PLACES; place++)
		if ((core_places[place] = in_core(held, place)) < 0)
			return ENDED;
	return KEPT;
}

static int read_core(struct held *held, int place, unsigned char *bytes)
{
	return pread(held->own, bytes, GLIMPSE, core_places[place]) == GLIMPSE ? 0 : -1;
}
#endif
