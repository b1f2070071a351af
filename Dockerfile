# syntax=docker/dockerfile:1
# The proxy (default target) and the OpusDNS simulator (--target simulator), each on an image with
# Node.js and nothing else: no shell, no package manager, no root. Neither writes to the file system.

FROM node:24.21.0-trixie-slim AS deps
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional packages only bring Node.js itself, for machines that have an old one; this image has it.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
# Compiled code for the image, which is read-only later: the proxy then starts sooner and stays smaller.
# Node.js ignores it should the other image bring another version.
COPY src ./src
RUN NODE_COMPILE_CACHE=/app/node_modules/.cache/compile node --expose-gc src/main.ts version
# Becomes the folder of the ledger; what runs in this image has no shell to make one.
WORKDIR /ledger

FROM gcr.io/distroless/nodejs24-debian13:nonroot AS simulator
LABEL org.opencontainers.image.title="opusdns-auth-proxy-simulator" \
      org.opencontainers.image.description="A likeness of the OpusDNS API for tests and demonstrations" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY test/opusdns ./test/opusdns
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/nodejs/bin/node", "/app/test/opusdns/main.ts"]

FROM gcr.io/distroless/nodejs24-debian13:nonroot AS proxy
LABEL org.opencontainers.image.title="opusdns-auth-proxy" \
      org.opencontainers.image.description="A reverse proxy that keeps the OpusDNS credentials in one place" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/node_modules/.cache/compile
# No address is set here on purpose: the defaults, 127.0.0.1:8080 and 127.0.0.1:9090, are right for a
# sidecar, which shares its network namespace with the service. Where the port is published or other
# containers call, set OPUSDNS_PROXY_LISTEN=0.0.0.0:8080; the proxy then refuses to start until the
# callers identify themselves or the configuration says insecure_allow_anonymous (config/compose.yaml).
WORKDIR /app
COPY --from=deps /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
# Mount a volume here when a consumer has a budget: the ledger has to outlive the container. A new named
# volume takes the owner of this folder.
COPY --from=deps --chown=65532:65532 --chmod=0700 /ledger /var/lib/opusdns-auth-proxy
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/src/main.ts", "healthcheck"]
ENTRYPOINT ["/nodejs/bin/node", "--disable-sigusr1", "--expose-gc", "/app/src/main.ts"]
CMD ["serve"]
