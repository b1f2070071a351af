// nginx, HAProxy and Caddy as their users set them up for this job, each on one worker or thread and
// without an access log.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Contender } from './contender.ts'

/** nginx with `proxy_set_header` and a kept pool of upstream connections. */
export const nginx: Contender = {
  name: 'nginx',
  needs: 'nginx',
  version: ['-v'],
  forwards: true,
  prepare({ folder, port, upstreamPort, key }) {
    const file = join(folder, 'nginx.conf')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((it) => `${it}_temp_path ${folder}/${it};`)
      .join(' ')
    writeFileSync(
      file,
      `worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary}
  keepalive_requests 1000000000;
  upstream api { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://api;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Api-Key "${key}";
    }
  }
}
`,
    )
    const args = ['-p', folder, '-e', 'stderr', '-c', file, '-g', 'daemon off;']
    return { program: 'nginx', args }
  },
}

/** HAProxy with `http-request set-header`. */
export const haproxy: Contender = {
  name: 'HAProxy',
  needs: 'haproxy',
  version: ['-v'],
  forwards: true,
  prepare({ folder, port, upstreamPort, key }) {
    const file = join(folder, 'haproxy.cfg')
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  http-request set-header X-Api-Key ${key}
  default_backend api
backend api
  server api 127.0.0.1:${upstreamPort} pool-max-conn 64
`,
    )
    return { program: 'haproxy', args: ['-db', '-f', file] }
  },
}

/** Caddy with `header_up`. */
export const caddy: Contender = {
  name: 'Caddy',
  needs: 'caddy',
  version: ['version'],
  forwards: true,
  prepare({ folder, port, upstreamPort, key }) {
    const file = join(folder, 'Caddyfile')
    writeFileSync(
      file,
      `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${upstreamPort} {
    header_up X-Api-Key ${key}
    transport http {
      keepalive_idle_conns_per_host 64
    }
  }
}
`,
    )
    return {
      program: 'caddy',
      args: ['run', '--config', file, '--adapter', 'caddyfile'],
      env: { GOMAXPROCS: '1', HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    }
  },
}
