# syntax=docker/dockerfile:1
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source

# Packages change seldom: restored in a layer of their own, from the lock files.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/Domain/Domain.csproj src/Domain/packages.lock.json src/Domain/
COPY src/Infrastructure/Infrastructure.csproj src/Infrastructure/packages.lock.json src/Infrastructure/
COPY src/Web/Web.csproj src/Web/packages.lock.json src/Web/
RUN dotnet restore src/Web/Web.csproj --locked-mode

COPY appsettings.json ./
COPY src src
RUN dotnet publish src/Web/Web.csproj -c Release -o /app --no-restore -p:UseAppHost=false

FROM mcr.microsoft.com/dotnet/aspnet:10.0
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o $APP_UID -g $APP_UID -m 700 /data /data/keys
COPY --from=build /app /app
WORKDIR /app
USER $APP_UID

# Production: no sandbox, PublicUrl is required. Data and the keys that encrypt its secrets are volumes apart: whoever
# takes the one must not have the other.
ENV ASPNETCORE_ENVIRONMENT=Production \
    ASPNETCORE_HTTP_PORTS= \
    ASPNETCORE_URLS=http://+:8080 \
    Data__Directory=/data
VOLUME ["/data", "/data/keys"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# The probe's Host header has to be an allowed one.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD curl -fsS -o /dev/null http://localhost:8080/health/live || exit 1
ENTRYPOINT ["dotnet", "Dashboard.Web.dll"]
