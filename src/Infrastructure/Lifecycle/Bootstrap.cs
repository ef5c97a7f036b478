using System.Globalization;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>The script a machine runs at every start, and the little it is told. Nothing here is secret: providers store and echo it.</summary>
public static class Bootstrap
{
    /// <summary>At most 4,000 characters.</summary>
    public static string Text { get; } = RunnerFiles.Read("bootstrap.sh");

    /// <summary>The provider's address, for the machine's own last resort, and when that is.</summary>
    public static IReadOnlyDictionary<string, string> Environment(Market market, TimeSpan deadManAfter) => new Dictionary<string, string>
    {
        ["GD_API_BASE"] = market.BaseUrl,
        ["GD_DEAD_MAN_S"] = ((int)deadManAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture),
    };
}

/// <summary>The files of <c>src/Runner</c>, embedded.</summary>
public static class RunnerFiles
{
    private const string Prefix = "runner/";

    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(RunnerFiles).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Select(n => n[Prefix.Length..]).Order(StringComparer.Ordinal)];

    public static string Read(string name)
    {
        using var stream = typeof(RunnerFiles).Assembly.GetManifestResourceStream(Prefix + name) ?? throw new FileNotFoundException($"No runner file {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
