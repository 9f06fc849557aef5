/* loadgen - authenticated SMTP submission load generator.
 *
 * One thread, epoll (edge triggered), non-blocking sockets and OpenSSL.
 * Keeps K sessions open at a time. Each session: connect, greeting, EHLO,
 * [STARTTLS + EHLO | implicit TLS | plain], [AUTH PLAIN], then M messages
 * (MAIL, RCPT xR, DATA), QUIT; a finished session is replaced by a new one
 * until N messages are done or the time limit hits.
 *
 * Every message carries  X-Load-Id: <prefix>-<seq>   and
 *                        X-Load-Sum: <fnv1a64 of the body>
 * so that sink can tell lost, duplicated and altered messages exactly.
 *
 * build: cc -O2 -Wall -o loadgen loadgen.c -lssl -lcrypto
 * Prints one JSON line on stdout. Exit 0 when all N were accepted.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum tlsmode { T_NONE, T_STARTTLS, T_IMPLICIT };
enum st { S_CONNECT, S_TLS, S_GREET, S_EHLO, S_STARTTLS, S_EHLO2, S_AUTH,
          S_MAIL, S_RCPT, S_DATA, S_BODY, S_IDLE, S_RSET, S_QUIT, S_DEAD };

struct conn {
    int fd, used;
    SSL *ssl;
    int want_tls;            /* handshake in progress */
    enum st st;
    int done_in_session, rcpt_left, pipe_skip;
    char in[8192]; int inlen;
    char out[4096]; const char *o1; size_t l1;       /* first segment   */
    const char *o2; size_t l2;                       /* shared body     */
    uint64_t t_conn, t_mail, t_eod, t_retry;
    long seq;
};

/* options */
static const char *o_host = "127.0.0.1", *o_user = NULL, *o_pass = "", *o_from = "sender@load.test",
                  *o_rcpt = "rcpt@load.test", *o_prefix = "L", *o_idfile = NULL, *o_label = "";
static int o_port = 587, o_conc = 10, o_per = 1, o_rcpts = 1, o_pipe = 0, o_idle = 0, o_resume = 0, o_ramp = 0, o_quick = 0, o_sources = 0;
static long o_total = 1000, o_maxerr = 200; static size_t o_size = 10240; static double o_limit = 60;
static enum tlsmode o_tls = T_STARTTLS;

static struct conn *C; static int ep; static SSL_CTX *ctx; static SSL_SESSION *saved;
static char *body; static size_t bodylen; static uint64_t bodysum;
static char authline[1024];
static FILE *idf;
static long started, accepted, rejected, unknown_, connerr, sessions, inflight_conn;
static int stopping, idle_ready; static uint64_t t0, t_last, t_first;
static long codes[1000];
static uint32_t *lat_msg, *lat_eod, *lat_auth; static long n_msg, n_eod, n_auth, cap_lat;
static struct sockaddr_in sa;

static uint64_t now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static void push(uint32_t *a, long *n, uint64_t ns) { if (*n < cap_lat) a[(*n)++] = ns / 1000; }

/* ---- message body: lines of 76 characters, every 20th begins with a dot ---- */
static void make_body(void) {
    static const char al[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t want = o_size > 400 ? o_size - 400 : 16, n = 0, k = 0;    /* ~400 bytes of header */
    body = malloc(want * 2 + 1024);
    uint64_t h = 0xcbf29ce484222325ull, r = 88172645463325252ull;
    for (int line = 0; n < want; line++) {
        char l[80]; int i = 0;
        if (line % 20 == 19) l[i++] = '.';
        for (; i < 76; i++) { r ^= r << 13; r ^= r >> 7; r ^= r << 17; l[i] = al[r & 63]; }
        l[i++] = '\r'; l[i++] = '\n';
        if (l[0] == '.') body[k++] = '.';                            /* dot stuffing */
        memcpy(body + k, l, i); k += i; n += i;
        for (int j = 0; j < i; j++) { h ^= (unsigned char)l[j]; h *= 0x100000001b3ull; }
    }
    memcpy(body + k, ".\r\n", 3); k += 3;
    bodylen = k; bodysum = h;
}

static void b64(const unsigned char *s, size_t n, char *d) {
    EVP_EncodeBlock((unsigned char *)d, s, n);
}

static void say(struct conn *c, const char *s) { c->l1 = strlen(s); memcpy(c->out, s, c->l1); c->o1 = c->out; }

static void closec(struct conn *c) {
    if (c->ssl) { if (c->st == S_QUIT) SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN); SSL_free(c->ssl); c->ssl = NULL; }
    if (c->fd >= 0) close(c->fd);
    c->fd = -1; c->used = 0; c->st = S_DEAD; c->l1 = c->l2 = 0; c->inlen = 0; c->want_tls = 0;
}

static void fail(struct conn *c, const char *why) {
    if (c->st != S_QUIT) {
        if (connerr < 5) fprintf(stderr, "loadgen: session error in state %d: %s errno=%s\n", c->st, why, strerror(errno));
        connerr++;
        if (c->st == S_BODY) { unknown_++; if (idf) fprintf(idf, "?%s-%ld\n", o_prefix, c->seq); }
        c->t_retry = now() + 50000000ull;
    }
    closec(c);
}

static void start_tls(struct conn *c) {
    c->ssl = SSL_new(ctx); SSL_set_fd(c->ssl, c->fd); SSL_set_connect_state(c->ssl);
    if (o_resume && saved) SSL_set_session(c->ssl, saved);
    c->want_tls = 1;
}

static void opensess(struct conn *c) {
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) { perror("socket"); exit(2); }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->used = 1; c->done_in_session = 0; c->inlen = 0; c->l1 = c->l2 = 0; c->want_tls = 0; c->ssl = NULL;
    c->st = S_CONNECT; c->t_conn = now(); sessions++;
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    if (o_sources) {                                                 /* a server that counts by address sees many */
        struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001u + sessions % o_sources) };
        if (bind(c->fd, (void *)&from, sizeof from) < 0) { perror("bind"); exit(2); }
    }
    if (connect(c->fd, (void *)&sa, sizeof sa) < 0 && errno != EINPROGRESS) { fail(c, "connect"); }
}

static void next_message(struct conn *c) {
    if (stopping || started >= o_total || c->done_in_session >= o_per) { say(c, "QUIT\r\n"); c->st = S_QUIT; return; }
    c->seq = started++; c->t_mail = now(); c->rcpt_left = o_rcpts;
    int n = sprintf(c->out, "MAIL FROM:<%s>\r\n", o_from);
    c->pipe_skip = 0;
    if (o_pipe) {
        for (int i = 0; i < o_rcpts; i++) n += sprintf(c->out + n, "RCPT TO:<%s>\r\n", o_rcpt);
        n += sprintf(c->out + n, "DATA\r\n"); c->pipe_skip = 1;
    }
    c->o1 = c->out; c->l1 = n; c->st = S_MAIL;
}

static void send_body(struct conn *c) {
    int n = snprintf(c->out, sizeof c->out,
        "Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nFrom: Load Sender <%s>\r\nTo: Load Rcpt <%s>\r\n"
        "Subject: load test message %ld\r\nMessage-ID: <%s-%ld@load.test>\r\nX-Load-Id: %s-%ld\r\n"
        "X-Load-Sum: %016llx\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
        o_from, o_rcpt, c->seq, o_prefix, c->seq, o_prefix, c->seq, (unsigned long long)bodysum);
    c->o1 = c->out; c->l1 = n; c->o2 = body; c->l2 = bodylen; c->st = S_BODY; c->t_eod = now();
}

static void send_rcpt(struct conn *c) { c->l1 = sprintf(c->out, "RCPT TO:<%s>\r\n", o_rcpt); c->o1 = c->out; c->st = S_RCPT; }

static void authed(struct conn *c) {
    push(lat_auth, &n_auth, now() - c->t_conn); inflight_conn--;
    if (o_idle) { c->st = S_IDLE; idle_ready++; return; }
    next_message(c);
}
static void after_ehlo(struct conn *c) {
    if (o_user) { say(c, authline); c->st = S_AUTH; } else authed(c);
}
static void reject(struct conn *c, int code) {
    codes[code]++; rejected++; connerr++;
    if (rejected < 6) fprintf(stderr, "loadgen: %d in state %d\n", code, c->st);
    c->t_retry = now() + 50000000ull;
    if (c->st < S_MAIL) inflight_conn--;
    closec(c);
}

static void reply(struct conn *c, int code) {
    switch (c->st) {
    case S_GREET: if (code != 220) { reject(c, code); return; } say(c, "EHLO load.test\r\n"); c->st = S_EHLO; break;
    case S_EHLO: if (code != 250) { reject(c, code); return; }
        if (o_tls == T_STARTTLS) { say(c, "STARTTLS\r\n"); c->st = S_STARTTLS; } else after_ehlo(c); break;
    case S_STARTTLS: if (code != 220) { reject(c, code); return; } c->st = S_TLS; start_tls(c); break;
    case S_EHLO2: if (code != 250) { reject(c, code); return; } after_ehlo(c); break;
    case S_AUTH: if (code != 235) { reject(c, code); return; } authed(c); break;
    case S_MAIL: if (code != 250) { reject(c, code); return; }
        if (c->pipe_skip) c->st = S_RCPT; else send_rcpt(c); break;
    case S_RCPT: if (code != 250 && code != 251) { reject(c, code); return; }
        if (--c->rcpt_left > 0) { if (!c->pipe_skip) send_rcpt(c); }
        else { if (!c->pipe_skip) say(c, "DATA\r\n"); c->st = S_DATA; } break;
    case S_DATA: if (code != 354) { reject(c, code); return; } send_body(c); break;
    case S_BODY: if (code != 250) { reject(c, code); return; }
        t_last = now(); if (!accepted) t_first = t_last; accepted++; c->done_in_session++;
        push(lat_msg, &n_msg, t_last - c->t_mail); push(lat_eod, &n_eod, t_last - c->t_eod);
        if (idf) fprintf(idf, "%s-%ld\n", o_prefix, c->seq);
        next_message(c); break;
    case S_QUIT: closec(c); break;
    default: codes[code]++; fail(c, "unexpected reply"); break;
    }
}

/* run the session until it would block */
static void drive(struct conn *c) {
    while (c->used) {
        if (c->st == S_CONNECT) {
            int e = 0; socklen_t l = sizeof e; struct sockaddr_in p; socklen_t pl = sizeof p;
            getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &l);
            if (e) { errno = e; inflight_conn--; fail(c, "connect"); return; }
            if (getpeername(c->fd, (void *)&p, &pl) < 0) return;
            if (o_tls == T_IMPLICIT) { c->st = S_TLS; start_tls(c); } else c->st = S_GREET;
        }
        if (c->want_tls) {
            int r = SSL_do_handshake(c->ssl);
            if (r == 1) {
                c->want_tls = 0;
                if (o_tls == T_IMPLICIT) c->st = S_GREET;
                else { say(c, "EHLO load.test\r\n"); c->st = S_EHLO2; }
            } else {
                int e = SSL_get_error(c->ssl, r);
                if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return;
                ERR_print_errors_fp(stderr); inflight_conn--; fail(c, "tls handshake"); return;
            }
        }
        while (c->l1 || c->l2) {
            const char **o = c->l1 ? &c->o1 : &c->o2; size_t *l = c->l1 ? &c->l1 : &c->l2; ssize_t r;
            if (c->ssl) {
                r = SSL_write(c->ssl, *o, *l > 65536 ? 65536 : *l);
                if (r <= 0) { int e = SSL_get_error(c->ssl, r);
                    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) goto rd;
                    fail(c, "tls write"); return; }
            } else {
                r = send(c->fd, *o, *l, MSG_NOSIGNAL | (c->l1 && c->l2 ? MSG_MORE : 0));
                if (r < 0) { if (errno == EAGAIN) goto rd; fail(c, "write"); return; }
            }
            *o += r; *l -= r;
            if (!c->l1 && !c->l2 && c->st == S_BODY) c->t_eod = now();
        }
    rd:;
        ssize_t r; int q1 = 1;
        if (o_quick) setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &q1, sizeof q1);
        if (c->ssl) {
            r = SSL_read(c->ssl, c->in + c->inlen, sizeof c->in - c->inlen);
            if (r <= 0) { int e = SSL_get_error(c->ssl, r);
                if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return;
                if (c->st <= S_AUTH) inflight_conn--;
                fail(c, "closed by server"); return; }
        } else {
            r = recv(c->fd, c->in + c->inlen, sizeof c->in - c->inlen, 0);
            if (r < 0 && errno == EAGAIN) return;
            if (r <= 0) { if (c->st <= S_AUTH) inflight_conn--; fail(c, "closed by server"); return; }
        }
        c->inlen += r;
        for (;;) {
            char *nl = memchr(c->in, '\n', c->inlen); if (!nl) break;
            int len = nl - c->in + 1;
            int last = len >= 4 && (c->in[3] == ' ' || c->in[3] == '\r' || c->in[3] == '\n'), code = atoi(c->in);
            memmove(c->in, c->in + len, c->inlen - len); c->inlen -= len;
            if (last) { if (code < 0 || code > 999) code = 0; reply(c, code); }
            if (!c->used || c->want_tls) break;
        }
        if (c->inlen == sizeof c->in) { fail(c, "reply too long"); return; }
    }
}

static int cmp(const void *a, const void *b) { uint32_t x = *(uint32_t *)a, y = *(uint32_t *)b; return x < y ? -1 : x > y; }
static double pct(uint32_t *a, long n, double p) { return n ? a[(long)((n - 1) * p)] / 1000.0 : 0; }
static int on_session(SSL *s, SSL_SESSION *x) { (void)s; if (o_resume && !saved) { saved = x; return 1; } return 0; }
static void usage(void) {
    fprintf(stderr, "loadgen -p port [-H ipv4] [-c conc] [-n total] [-m msgs/session] [-s bytes] [-T none|starttls|implicit]\n"
        "  [-u user -w pass] [-f from] [-r rcpt] [-R rcpts/msg] [-P (pipeline)] [-d seconds] [-L idprefix] [-o idfile]\n"
        "  [-I hold_seconds (idle mode: open conc sessions, authenticate, hold)] [-W parallel opens in idle mode]\n"
        "  [-B source addresses, from 127.1.0.1 on] [-E max errors] [-S (resume TLS sessions)] [-Q (TCP_QUICKACK: no delayed acks from our side)] [-t label]\n"); exit(2);
}

int main(int argc, char **argv) {
    int o;
    while ((o = getopt(argc, argv, "H:p:c:n:m:s:T:u:w:f:r:R:Pd:L:o:I:W:E:SQB:t:")) != -1) switch (o) {
    case 'H': o_host = optarg; break; case 'p': o_port = atoi(optarg); break; case 'c': o_conc = atoi(optarg); break;
    case 'n': o_total = atol(optarg); break; case 'm': o_per = atoi(optarg); break; case 's': o_size = atol(optarg); break;
    case 'T': o_tls = !strcmp(optarg, "none") ? T_NONE : !strcmp(optarg, "implicit") ? T_IMPLICIT : T_STARTTLS; break;
    case 'u': o_user = optarg; break; case 'w': o_pass = optarg; break; case 'f': o_from = optarg; break;
    case 'r': o_rcpt = optarg; break; case 'R': o_rcpts = atoi(optarg); break; case 'P': o_pipe = 1; break;
    case 'd': o_limit = atof(optarg); break; case 'L': o_prefix = optarg; break; case 'o': o_idfile = optarg; break;
    case 'I': o_idle = atoi(optarg); break; case 'W': o_ramp = atoi(optarg); break; case 'E': o_maxerr = atol(optarg); break;
    case 'S': o_resume = 1; break; case 'B': o_sources = atoi(optarg); break; case 'Q': o_quick = 1; break; case 't': o_label = optarg; break; default: usage(); }
    signal(SIGPIPE, SIG_IGN);
    if (o_user) {
        unsigned char raw[512]; int ul = strlen(o_user), pl = strlen(o_pass); char enc[800];
        if (ul + pl > 500) usage();
        raw[0] = 0; memcpy(raw + 1, o_user, ul); raw[1 + ul] = 0; memcpy(raw + 2 + ul, o_pass, pl);
        b64(raw, ul + pl + 2, enc); snprintf(authline, sizeof authline, "AUTH PLAIN %s\r\n", enc);
    }
    make_body();
    if (o_idfile && !(idf = fopen(o_idfile, "w"))) { perror(o_idfile); return 2; }
    ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
    SSL_CTX_set1_groups_list(ctx, "X25519:P-256");
    SSL_CTX_set1_sigalgs_list(ctx, "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256");
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    sa.sin_family = AF_INET; sa.sin_port = htons(o_port); if (inet_pton(AF_INET, o_host, &sa.sin_addr) != 1) usage();
    cap_lat = (o_idle ? o_conc : o_total) + o_conc + 16;
    lat_msg = malloc(cap_lat * 4); lat_eod = malloc(cap_lat * 4); lat_auth = malloc(cap_lat * 4);
    C = calloc(o_conc, sizeof *C); ep = epoll_create1(0);
    for (int i = 0; i < o_conc; i++) C[i].fd = -1;
    t0 = now(); uint64_t tend = t0 + o_limit * 1e9, t_ready = 0, t_stop = 0;
    struct epoll_event ev[256];
    for (;;) {
        uint64_t t = now(); int live = 0;
        if (!stopping && (t > tend || connerr > o_maxerr || (o_idle && t_ready && t > t_ready + o_idle * 1000000000ull))) {
            stopping = 1; t_stop = t;
            for (int i = 0; i < o_conc; i++) if (C[i].used && (C[i].st == S_IDLE)) { say(&C[i], "QUIT\r\n"); C[i].st = S_QUIT; drive(&C[i]); }
        }
        for (int i = 0; i < o_conc; i++) {
            struct conn *c = &C[i];
            if (!c->used && !stopping && t >= c->t_retry && (o_idle ? !t_ready : started < o_total) && (!o_ramp || inflight_conn < o_ramp)) {
                inflight_conn++; opensess(c); if (c->used) drive(c);
            }
            live += c->used;
        }
        if (o_idle && !t_ready && idle_ready == o_conc) { t_ready = now(); printf("READY %d sessions in %.2f s\n", idle_ready, (t_ready - t0) / 1e9); fflush(stdout); }
        if (!live && (stopping || (!o_idle && started >= o_total))) break;
        if (stopping && t > t_stop + 5000000000ull) { for (int i = 0; i < o_conc; i++) if (C[i].used) fail(&C[i], "time limit"); break; }
        int n = epoll_wait(ep, ev, 256, 20);
        for (int i = 0; i < n; i++) { struct conn *c = ev[i].data.ptr; if (c->used) drive(c);
            if (!c->used && !stopping && !o_idle && started < o_total && now() >= c->t_retry) { inflight_conn++; opensess(c); if (c->used) drive(c); } }
    }
    if (idf) fclose(idf);
    qsort(lat_msg, n_msg, 4, cmp); qsort(lat_eod, n_eod, 4, cmp); qsort(lat_auth, n_auth, 4, cmp);
    double wall = ((t_last ? t_last : now()) - t0) / 1e9; struct rusage ru; getrusage(RUSAGE_SELF, &ru);
    printf("{\"label\":\"%s\",\"conc\":%d,\"per_session\":%d,\"size\":%zu,\"accepted\":%ld,\"rejected\":%ld,\"unknown\":%ld,"
        "\"session_errors\":%ld,\"sessions\":%ld,\"wall_s\":%.3f,\"rate\":%.1f,\"msg_p50_ms\":%.2f,\"msg_p95_ms\":%.2f,\"msg_p99_ms\":%.2f,"
        "\"eod_p50_ms\":%.2f,\"eod_p99_ms\":%.2f,\"auth_p50_ms\":%.2f,\"auth_p99_ms\":%.2f,\"gen_cpu_s\":%.2f}\n",
        o_label, o_conc, o_per, o_size, accepted, rejected, unknown_, connerr, sessions, wall, accepted / wall,
        pct(lat_msg, n_msg, .5), pct(lat_msg, n_msg, .95), pct(lat_msg, n_msg, .99), pct(lat_eod, n_eod, .5), pct(lat_eod, n_eod, .99),
        pct(lat_auth, n_auth, .5), pct(lat_auth, n_auth, .99),
        ru.ru_utime.tv_sec + ru.ru_stime.tv_sec + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
    return o_idle ? idle_ready != o_conc : accepted != o_total;
}
