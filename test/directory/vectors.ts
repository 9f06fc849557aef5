/** Hashes of one password in every scheme, made by other programs. */
export const PASSWORD = 'canary-demo'

export const VECTORS = {
  'md5-crypt': '{crypt}$1$testsalt$q8zGRxyTTGctXJsJkIKkF/',
  'sha256-crypt': '{CRYPT}$5$testsalt$kLjdeerLSkdlh4tHHwPEQyBynlYrdC08gQD0HUhwP03',
  'sha512-crypt':
    '{crypt}$6$testsalt$kNsZqvWd0/1LkUSwSw84vAvyX/Kn0K9oEmJ73G.vjmTxxR5Z7Iytgh72R6qTf87ND8tLG0PABoVt3W0vqbQlO.',
  yescrypt: '$y$j9T$testsalt$I7tTeuc6JQUwhPkx/Fm.RK6KH03gYeIzBiDqQS/QBt9',
  bcrypt: '$2b$05$abcdefghijklmnopqrstuuEjclDzkG/ipFT0p3eHfa43kJAllTl/O',
  scrypt: '$7$9/..../....testsalt$R9zqTAyLS4YfQM3yPKrTZEb.sqCm0R8uDjFxZuElfgD',
  SSHA: '{SSHA}FXr60F00vGtdWWc3R2nJtFr2QIF0ZXN0c2FsdA==',
  SSHA512:
    '{SSHA512}cKV0NffHNdhR40IErbuJ5r5W7UFwOvjR/MK0Q1nMeEJHx7ny8UkbJ057Vx6k2mIfSWtyrwIBjG2TfsfW6HHcvnRlc3RzYWx0',
  'PBKDF2-SHA512':
    '{PBKDF2-SHA512}25000$dGVzdHNhbHQ$VbBz5TX4CogBmLEt2VVFHetKp9z5mSD5/v./zC77ir9RC0pPBAEyUBO22uSww4y9ieJjtoe3yFJpf9hg1XayKg',
  ARGON2:
    '{ARGON2}$argon2id$v=19$m=4096,t=1,p=1$dGVzdHNhbHR0ZXN0c2FsdA$cy3VYYb4g/RbQzAlsvkomPxne9QVUiM+81qRQ31+WQ8',
} as const

/** The cheapest of them, for tests that are about something else. */
export const HASH = VECTORS['md5-crypt']
