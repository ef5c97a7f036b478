using System.Globalization;

namespace Dashboard.EndToEnd.Harness;

/// <summary>What a suite measured, a line each: printed by <c>./test</c>, kept in <c>TestResults/e2e/{test}/figures.txt</c>.</summary>
internal sealed class Figures
{
    private readonly List<string> _lines = [];

    public void Add(FormattableString line) => _lines.Add(line.ToString(CultureInfo.InvariantCulture));

    public async Task KeepAsync()
    {
        _lines.ForEach(line => TestContext.Current.TestOutputHelper?.WriteLine(line));
        await Evidence.KeepAsync("figures.txt", string.Join('\n', _lines) + "\n");
    }

    /// <summary>Nearest rank; NaN of nothing.</summary>
    /// <param name="share">From 0 to 1.</param>
    public static double Quantile(IEnumerable<double> values, double share) =>
        values.Order().ToList() is { Count: > 0 } sorted ? sorted[Math.Min(sorted.Count - 1, (int)Math.Ceiling(share * sorted.Count) - 1)] : double.NaN;
}
