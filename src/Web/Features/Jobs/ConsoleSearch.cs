using Dashboard.Domain;
using Dashboard.Domain.Logs;

namespace Dashboard.Web.Features.Jobs;

/// <summary>The lines of a stored console that hold a text, whichever of them are in view. Upper and lower case are alike.</summary>
/// <param name="find">Not empty.</param>
public sealed class ConsoleSearch(ILogFeed logs, JobId job, string find)
{
    /// <summary>What a person cannot step through anyway; past it the count says "or more".</summary>
    public const int Most = 10_000;

    private const int Window = 2_000; // lines held at once: a log may be larger than memory
    private readonly List<int> _hits = [];
    private int _searched;
    private int _at = -1;

    public string Find => find;

    /// <summary>Line numbers, counted from zero, rising.</summary>
    public IReadOnlyList<int> Hits => _hits;

    public bool Full => _hits.Count >= Most;

    /// <summary>Which hit is shown, counted from one; zero: none.</summary>
    public int Place => _at + 1;

    /// <summary>The line shown; null: none.</summary>
    public int? Line => _at >= 0 ? _hits[_at] : null;

    public bool Matches(string text) => text.Contains(find, StringComparison.OrdinalIgnoreCase);

    /// <summary>Searches what is stored and was not searched yet; hits found before stay.</summary>
    public async Task ExtendAsync(CancellationToken ct)
    {
        while (!Full && await logs.ReadAsync(job, _searched, Window, ct) is { Count: > 0 } lines)
        {
            _hits.AddRange(lines.Where(line => Matches(line.Text)).Select(line => line.Number).Take(Most - _hits.Count));
            _searched = lines[^1].Number + 1;
        }
    }

    /// <summary>Goes one hit on (+1) or back (-1), round the ends. The first step goes to the newest hit: what is looked for is mostly there.</summary>
    public void Step(int by) => _at = _hits.Count == 0 ? -1 : _at < 0 ? _hits.Count - 1 : (_at + by + _hits.Count) % _hits.Count;

    /// <summary>Where hits are in the whole log, as shares of its height from 0 to 1; at most <paramref name="most"/>, so that thousands do not fill the page.</summary>
    public IEnumerable<double> Marks(int lines, int most) =>
        lines <= 0 ? [] : _hits.Select(hit => (int)((long)hit * most / lines)).Distinct().Select(slot => slot / (double)most);
}
