/* SPDX-License-Identifier: MIT
 * Buffers of the dma-buf broker for a compositor on wlroots 0.18: copy both files into it, link with libdmabroker, and call
 * this where it calls wlr_allocator_autocreate(). */
#ifndef DMABROKER_ALLOCATOR_H
#define DMABROKER_ALLOCATOR_H

struct wlr_allocator;
struct wlr_backend;
struct wlr_renderer;

/* Buffers that the backend's display shows and the renderer draws.  bus is that of dmabroker_open().  Where there is no broker,
 * the result is what wlr_allocator_autocreate() gives, which also makes what a broker refuses later. */
struct wlr_allocator *dmabroker_allocator_create(struct wlr_backend *backend, struct wlr_renderer *renderer, const char *bus);

#endif
