using Dashboard.Domain.Marketplaces;

namespace Dashboard.Web.Features.Marketplaces;

/// <summary>A row as it stands on the page.</summary>
/// <param name="TakenAt">When an answer came that does not have it any more.</param>
/// <param name="Stale">Its provider did not answer last time.</param>
public sealed record BoardRow(OfferRow Row, DateTimeOffset? TakenAt = null, bool Stale = false)
{
    public bool Taken => TakenAt is not null;

    public bool Usable => !Taken && !Stale;
}

/// <summary>
/// The offers on one person's page. A newer answer changes rows in place and strikes out what is gone; what is new waits
/// until it is asked for, so that nothing moves under the pointer. Typing and ordering look at what is here and ask nobody.
/// </summary>
public sealed class OfferBoard
{
    private List<BoardRow> _rows = [];
    private List<OfferRow> _waiting = [];
    private List<BoardRow>? _shown;

    public string Find { get; private set; } = "";

    public string? Region { get; private set; }

    public OfferSort Sort { get; private set; }

    /// <summary>All that is there, whatever is typed.</summary>
    public int Count => _rows.Count;

    /// <summary>Offers that came since and are not shown yet.</summary>
    public int Waiting => _waiting.Count;

    public OfferRow? LowestTotal { get; private set; }

    public OfferRow? LowestRate { get; private set; }

    public OfferRow? Fastest { get; private set; }

    /// <summary>Model and how many offers have it.</summary>
    public IReadOnlyList<(string Name, int Offers)> Gpus { get; private set; } = [];

    /// <summary>Place and how many offers are there.</summary>
    public IReadOnlyList<(string Name, int Offers)> Regions { get; private set; } = [];

    /// <summary>The rows in view, in order.</summary>
    public List<BoardRow> Shown => _shown ??= Fitting(Find, Region);

    /// <summary>How many of those that can be rented satisfy a condition.</summary>
    public int CountOf(Func<Offer, bool> holds) => _rows.Count(r => r.Usable && holds(r.Row.Offer));

    /// <summary>How many there would be without what was typed and without the region.</summary>
    public int Without(bool find, bool region) => Fitting(find ? "" : Find, region ? null : Region).Count;

    /// <summary>An answer to another question: nothing of the old one stays.</summary>
    public void Replace(MarketView view) => Put(view.Rows.Select(row => new BoardRow(row)));

    /// <summary>A newer answer to the same question, which came at <paramref name="now"/>.</summary>
    public void Take(MarketView view, DateTimeOffset now)
    {
        var fresh = view.Rows.ToDictionary(row => row.Key, StringComparer.Ordinal);
        var silent = view.Answers.Where(a => a.Problem is not null).Select(a => a.Id).ToHashSet();
        _rows =
        [
            .. _rows.Select(old => fresh.Remove(old.Row.Key, out var row) ? new BoardRow(row)
                : silent.Contains(old.Row.ConnectionId) ? old with { Stale = true }
                : old with { TakenAt = old.TakenAt ?? now, Stale = false }),
        ];
        _waiting = [.. fresh.Values];
        Summarize();
    }

    /// <summary>Shows what waited, drops what was taken, and orders anew.</summary>
    public void ShowWaiting() => Put([.. _rows.Where(r => !r.Taken), .. _waiting.Select(row => new BoardRow(row))]);

    /// <summary>Narrows by every word of <paramref name="find"/> and by the place.</summary>
    public void Narrow(string find, string? region)
    {
        (Find, Region) = (find, region);
        _shown = null;
    }

    public void Order(OfferSort sort)
    {
        if (sort != Sort)
        {
            Sort = sort;
            Put(_rows, keepWaiting: true);
        }
    }

    private void Put(IEnumerable<BoardRow> rows, bool keepWaiting = false)
    {
        _rows = [.. Sorted(rows)];
        _waiting = keepWaiting ? _waiting : [];
        Summarize();
    }

    private void Summarize()
    {
        _shown = null;
        var usable = _rows.Where(r => r.Usable).Select(r => r.Row).ToList();
        LowestTotal = usable.MinBy(r => r.Total.Total);
        LowestRate = usable.MinBy(r => r.Offer.Rate);
        Fastest = usable.MinBy(r => r.Total.Duration);
        Gpus = Counted(r => r.Row.Offer.GpuName);
        Regions = Counted(r => r.Row.Offer.Location);
    }

    private IReadOnlyList<(string, int)> Counted(Func<BoardRow, string?> value) =>
        [.. _rows.Select(value).OfType<string>().CountBy(v => v, StringComparer.Ordinal).Select(v => (v.Key, v.Value)).OrderBy(v => v.Key, StringComparer.Ordinal)];

    private IOrderedEnumerable<BoardRow> Sorted(IEnumerable<BoardRow> rows) => (Sort switch
    {
        OfferSort.Total => rows.OrderBy(r => r.Row.Total.Total),
        OfferSort.Rate => rows.OrderBy(r => r.Row.Offer.Rate),
        OfferSort.Time => rows.OrderBy(r => r.Row.Total.Duration),
        OfferSort.Finish => rows.OrderByDescending(r => r.Row.Total.FinishesFirstTry),
    }).ThenBy(r => r.Row.Total.Total).ThenBy(r => r.Row.Key, StringComparer.Ordinal);

    private List<BoardRow> Fitting(string find, string? region)
    {
        var words = find.Split(' ', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return _rows.FindAll(r => (region is null || r.Row.Offer.Location == region) && Array.TrueForAll(words, word => r.Row.Text.Contains(word, StringComparison.OrdinalIgnoreCase)));
    }
}
