using System.Globalization;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Routes and pinned host keys as one column each: <c>direct=host:port;proxy=host:port</c>, <c>direct=SHA256:…</c>.</summary>
public static class RouteText
{
    public static string Write(IEnumerable<SshRoute> routes) =>
        string.Join(';', routes.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Name}={r.Host}:{r.Port}")));

    public static IReadOnlyList<SshRoute> Read(string? text) =>
        [.. Pairs(text).Select(p =>
        {
            var colon = p.Value.LastIndexOf(':');
            return new SshRoute(p.Name, p.Value[..colon], int.Parse(p.Value[(colon + 1)..], CultureInfo.InvariantCulture));
        })];

    /// <summary>The key pinned for a route; null before first contact.</summary>
    public static string? Pin(string? pins, string route) => Pairs(pins).Where(p => p.Name == route).Select(p => p.Value).FirstOrDefault();

    public static string WithPin(string? pins, string route, string key) =>
        Pin(pins, route) is null ? string.Join(';', Pairs(pins).Select(p => $"{p.Name}={p.Value}").Append($"{route}={key}")) : pins!;

    private static IEnumerable<(string Name, string Value)> Pairs(string? text) =>
        (text ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries).Select(p => (p[..p.IndexOf('=', StringComparison.Ordinal)], p[(p.IndexOf('=', StringComparison.Ordinal) + 1)..]));
}
