# syntax=docker/dockerfile:1
# One image, three commands: portal (default), receiver, worker. See compose.yaml.

FROM node:22-slim AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY static ./static
RUN npm run build

FROM python:3.11-slim AS packages
COPY requirements/production.txt /tmp/production.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-compile --require-hashes -r /tmp/production.txt

FROM python:3.11-slim AS image
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=bars_portal.settings.production
RUN groupadd --system --gid 10001 bars \
    && useradd --system --uid 10001 --gid bars --no-create-home --shell /usr/sbin/nologin bars
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY manage.py ./
COPY bars_portal ./bars_portal
COPY bookings ./bookings
COPY directory ./directory
COPY referrals ./referrals
COPY templates ./templates
COPY static ./static
COPY deploy ./deploy
COPY --from=assets /build/static/build ./static/build
# Production settings refuse to load without values: these live for this one command and reach no server.
RUN DJANGO_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    DATABASE_URL=postgresql://build@build.invalid/build \
    BROKER_URL=redis://build.invalid \
    ALLOWED_HOSTS=build.invalid \
    BARS_ENVIRONMENT=int \
    BARS_API_KEY=build BARS_KEY_ID=Build-INT-1 BARS_PRIVATE_KEY_FILE=/nowhere/build.key \
    BARS_ODS_CODE=X26 BARS_ORGANISATION_NAME=build BARS_SERVICE_ID=2000099999 \
    python manage.py collectstatic --noinput --verbosity 0 \
    && mkdir -p var/celery /audit-heads && chown -R bars:bars var/celery /audit-heads
USER bars
EXPOSE 8000 8443 8444
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=8s --start-period=30s --retries=3 CMD ["python", "deploy/healthcheck.py"]
CMD ["gunicorn", "-c", "deploy/gunicorn_portal.py", "bars_portal.wsgi:application"]
