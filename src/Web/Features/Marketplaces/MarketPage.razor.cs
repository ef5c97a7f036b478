using System.Globalization;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Live;
using Dashboard.Web.Components;
using Microsoft.AspNetCore.Components;

namespace Dashboard.Web.Features.Marketplaces;

/// <summary>Which machine gives this job for the least money, and why that one.</summary>
public sealed partial class MarketPage
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;
    private static readonly TimeSpan Stale = TimeSpan.FromMinutes(15);
    private const string Bid = "bid"; // in the address
    private static readonly int[] Counts = [1, 2, 4, 8];
    private static readonly int[] Sizes = [8, 12, 16, 24, 32, 40, 48, 80];
    private static readonly (OfferSort Sort, string Word)[] Sorts = [(OfferSort.Total, "Expected total"), (OfferSort.Rate, "Per hour"), (OfferSort.Time, "Time"), (OfferSort.Finish, "Finishes")];

    private readonly OfferBoard _board = new();
    private readonly List<string> _picked = [];
    private readonly Dictionary<string, IReadOnlyList<FacetOption>> _counted = [];
    private MarketView? _countedIn;
    private int _countedOf;
    private MarketView? _taken;
    private MarketFilter? _takenFor;
    private string? _opened;
    private IReadOnlyList<(string Name, int Offers)> _gpus = [];
    private Money _largest;
    private string _find = "";
    private string _max = "";
    private string? _maxProblem;
    private bool _more; // the rarer filters are shown
    private string? _heard; // the address's own words for what was typed, so that a render never writes over typing

    [SupplyParameterFromQuery(Name = "for")] public string? For { get; set; }

    [SupplyParameterFromQuery(Name = "q")] public string? FindAsked { get; set; }

    [SupplyParameterFromQuery(Name = "gpu")] public string? Gpu { get; set; }

    [SupplyParameterFromQuery(Name = "count")] public string? GpuCount { get; set; }

    [SupplyParameterFromQuery(Name = "vram")] public string? Vram { get; set; }

    [SupplyParameterFromQuery(Name = "rel")] public string? Rel { get; set; }

    [SupplyParameterFromQuery(Name = "down")] public string? Down { get; set; }

    [SupplyParameterFromQuery(Name = "max")] public string? Max { get; set; }

    [SupplyParameterFromQuery(Name = "cuda")] public string? CudaAsked { get; set; }

    [SupplyParameterFromQuery(Name = "days")] public string? DaysAsked { get; set; }

    [SupplyParameterFromQuery(Name = "verified")] public string? Verified { get; set; }

    [SupplyParameterFromQuery(Name = "type")] public string? Type { get; set; }

    [SupplyParameterFromQuery(Name = "history")] public string? HistoryAsked { get; set; }

    [SupplyParameterFromQuery(Name = "region")] public string? RegionAsked { get; set; }

    [SupplyParameterFromQuery(Name = "pages")] public string? PagesAsked { get; set; }

    [SupplyParameterFromQuery(Name = "sort")] public string? SortBy { get; set; }

    [SupplyParameterFromQuery(Name = "pick")] public string? Picks { get; set; }

    private MarketFilter Filter => new(
        string.IsNullOrWhiteSpace(Gpu) ? null : Gpu.Trim(),
        OneOf(GpuCount, Counts) ?? 1,
        OneOf(Vram, Sizes),
        OneOf(Rel, MarketFilter.Reliabilities),
        OneOf(Down, MarketFilter.Speeds),
        ReadRate(Max),
        OneOf(CudaAsked, MarketFilter.Cudas),
        OneOf(DaysAsked, MarketFilter.Days),
        Verified == "0",
        string.IsNullOrWhiteSpace(For) ? null : For,
        Type == Bid ? RentalType.Interruptible : RentalType.OnDemand,
        HistoryAsked == "all",
        int.TryParse(PagesAsked, Invariant, out var pages) ? Math.Clamp(pages, 1, MarketFilter.MostPages) : 1);

    private string? Region => _board.Region;

    /// <summary>The offer whose host card is open.</summary>
    private OfferRow? Opened => _opened is null ? null : Data?.Rows.FirstOrDefault(r => r.Key == _opened);

    private void Open(OfferRow row) => _opened = _opened == row.Key ? null : row.Key;

    /// <summary>The models to choose from: of the answer that was not narrowed to one.</summary>
    private IEnumerable<(string Name, int Offers)> Gpus => Filter.Gpu is { } gpu && _gpus.All(g => g.Name != gpu) ? _gpus.Prepend((gpu, 0)) : _gpus;

    private List<OfferRow> Compared => [.. _picked.Select(key => Data!.Rows.FirstOrDefault(r => r.Key == key) ?? _board.Shown.Find(r => r.Row.Key == key)?.Row).OfType<OfferRow>()];

    private string Basis => $"Counted in the {Numbers.Count(_board.Count)} offers here. A dash: not asked for.";

    /// <summary>What polls counted, where the question is one that they tell apart.</summary>
    private IReadOnlyList<PolledKind> Polled => Filter.IsPolled ? Data?.Polled ?? [] : [];

    private string PolledBasis => Polled.Count == 0 ? Basis
        : $"Counted by the last polls, {Numbers.Duration(Clock.GetUtcNow() - Polled.Max(k => k.At))} to {Numbers.Duration(Clock.GetUtcNow() - Polled.Min(k => k.At))} ago. A plus: at least so many. A dash: not polled.";

    /// <summary>How many offers of the polled kinds there are; null where none of them is known.</summary>
    private FacetOption Counted(string value, string word, Func<PolledKind, bool> holds, int? here)
    {
        var kinds = Polled.Where(holds).ToList();
        return Polled.Count == 0 ? new FacetOption(value, word, here) : new FacetOption(value, word, kinds.Count == 0 ? null : kinds.Sum(k => k.Offers), kinds.Exists(k => k.AtLeast));
    }

    private static bool Fits(PolledKind kind, string? gpu, int? vramGb, int count, RentalType rental) =>
        (gpu is null || string.Equals(kind.GpuName, gpu, StringComparison.OrdinalIgnoreCase)) && kind.VramGb >= (vramGb ?? 0) && kind.Count == count && kind.Rental == rental;

    private int? MoreWithout(MarketFilter without) => Data?.Wider.TryGetValue(without, out var offers) is true ? Math.Max(0, offers - _board.Count) : null;

    /// <summary>Every model that was seen of late, also those beyond the page.</summary>
    private IReadOnlyList<FacetOption> GpuOptions => Once("GpuOptions", () =>
    [
        .. Gpus.Select(g => g.Name).Union((Data?.Polled ?? []).Where(k => k.Offers > 0 && k.Count == Filter.Count && k.Rental == Filter.Rental).Select(k => k.GpuName), StringComparer.OrdinalIgnoreCase)
            .Select(gpu => Counted(gpu, gpu, k => Fits(k, gpu, Filter.VramGb, Filter.Count, Filter.Rental), Gpus.Where(g => g.Name == gpu).Select(g => (int?)g.Offers).FirstOrDefault()))
            .OrderByDescending(option => option.Offers),
    ]);

    private IReadOnlyList<FacetOption> RegionOptions => Once("RegionOptions", () => [.. _board.Regions.OrderByDescending(r => r.Offers).Select(r => new FacetOption(r.Name, r.Name, r.Offers))]);

    private IReadOnlyList<FacetOption> CountOptions => Once("CountOptions", () => [.. Counts.Where(c => c > 1).Select(c => Counted(c.ToString(Invariant), $"{c} GPUs", k => Fits(k, Filter.Gpu, Filter.VramGb, c, Filter.Rental), c == Filter.Count ? _board.Count : null))]);

    private IReadOnlyList<FacetOption> VramOptions => Once("VramOptions", () => Polled.Count == 0
        ? AtLeast(Sizes, Filter.VramGb, n => $"≥ {n} GB", (offer, n) => offer.VramMb >= n * 1000)
        : [.. Sizes.Select(n => Counted(n.ToString(Invariant), $"≥ {n} GB", k => Fits(k, Filter.Gpu, n, Filter.Count, Filter.Rental), null))]);

    private IReadOnlyList<FacetOption> ReliabilityOptions => Once("ReliabilityOptions", () => AtLeast(MarketFilter.Reliabilities, Filter.ReliabilityPercent, n => $"≥ {n}%", (offer, n) => offer.Reliability * 100 >= n));

    private IReadOnlyList<FacetOption> DownloadOptions => Once("DownloadOptions", () => AtLeast(MarketFilter.Speeds, Filter.DownloadMbps, n => $"≥ {Numbers.Speed(n)}", (offer, n) => offer.DownloadMbps >= n));

    private IReadOnlyList<FacetOption> CudaOptions => Once("CudaOptions", () => AtLeast(MarketFilter.Cudas, Filter.Cuda, n => string.Create(Invariant, $"≥ {n}"), (offer, n) => offer.CudaMax >= n));

    private IReadOnlyList<FacetOption> ContractOptions => Once("ContractOptions", () => AtLeast(MarketFilter.Days, Filter.ContractDays, n => $"≥ {Numbers.Count(n, "day", "days")}", (offer, n) => offer.ContractEnd - Clock.GetUtcNow() >= TimeSpan.FromDays(n)));

    /// <summary>Counts are made once an answer: they do not follow what is typed.</summary>
    private IReadOnlyList<FacetOption> Once(string facet, Func<List<FacetOption>> count)
    {
        if (!ReferenceEquals(_countedIn, _taken) || _countedOf != _board.Count)
        {
            _counted.Clear();
            (_countedIn, _countedOf) = (_taken, _board.Count);
        }

        return _counted.TryGetValue(facet, out var options) ? options : _counted[facet] = count();
    }

    /// <summary>Thresholds with how many of the offers here reach them. Below the one that was asked for the answer cannot tell.</summary>
    private List<FacetOption> AtLeast<T>(T[] steps, T? asked, Func<T, string> word, Func<Offer, T, bool> reaches)
        where T : struct, IComparable<T>, IFormattable =>
        [.. steps.Select(step => new FacetOption(step.ToString(null, Invariant), word(step), asked is { } least && step.CompareTo(least) < 0 ? null : _board.CountOf(offer => reaches(offer, step))))];

    private IReadOnlyList<FacetOption> TypeOptions => Once("TypeOptions", () => [Counted(Bid, "bid", k => Fits(k, Filter.Gpu, Filter.VramGb, Filter.Count, RentalType.Interruptible), Filter.Rental == RentalType.Interruptible ? _board.Count : null)]);

    private IEnumerable<string> Notes
    {
        get
        {
            if (GpuCount is not null && OneOf(GpuCount, Counts) is null) { yield return $"“{GpuCount}” is no number of GPUs and was left out."; }
            if (Vram is not null && OneOf(Vram, Sizes) is null) { yield return $"“{Vram}” is no VRAM size and was left out."; }
            if (Rel is not null && OneOf(Rel, MarketFilter.Reliabilities) is null) { yield return $"“{Rel}” is no reliability and was left out."; }
            if (Down is not null && OneOf(Down, MarketFilter.Speeds) is null) { yield return $"“{Down}” is no download speed and was left out."; }
            if (CudaAsked is not null && OneOf(CudaAsked, MarketFilter.Cudas) is null) { yield return $"“{CudaAsked}” is no CUDA version here and was left out."; }
            if (DaysAsked is not null && OneOf(DaysAsked, MarketFilter.Days) is null) { yield return $"“{DaysAsked}” is no contract length here and was left out."; }
            if (Type is not (null or "bid" or "ondemand")) { yield return $"“{Type}” is no way to rent and was left out."; }
            if (_maxProblem is not null) { yield return _maxProblem; }
            if (Data?.Note is { } note) { yield return note; }
        }
    }

    // Typing, ordering and picking are no part of the question.
    protected override object? Asks => Filter;

    // Prices do not follow our jobs and machines; the tick reads the shared answer again when it has grown old.
    protected override bool Concerns(Change change) => false;

    protected override async Task<MarketView> QueryAsync(CancellationToken ct)
    {
        var filter = Filter;
        var view = await Queries.SearchAsync(Team, filter, ct);
        if (_taken is null || filter != _takenFor)
        {
            _board.Replace(view);
            _largest = view.Rows.Count > 0 ? view.Rows[Math.Min(view.Rows.Count, FillsTheBar) - 1].Total.Total : Money.Zero;
        }
        else
        {
            _board.Take(view, Clock.GetUtcNow());
        }

        (_taken, _takenFor) = (view, filter);
        if (filter.Gpu is null)
        {
            _gpus = _board.Gpus;
        }

        return view;
    }

    protected override Task OnParametersSetAsync()
    {
        _board.Order(Enum.TryParse<OfferSort>(SortBy, ignoreCase: true, out var sort) && Enum.IsDefined(sort) ? sort : OfferSort.Total);
        var asked = string.Join('\n', FindAsked, RegionAsked, Max, Picks);
        if (asked != _heard)
        {
            _heard = asked;
            _find = FindAsked ?? "";
            _max = Max ?? "";
            _maxProblem = Max is not null && ReadRate(Max) is null ? RateProblem(Max) : null;
            _board.Narrow(_find, string.IsNullOrWhiteSpace(RegionAsked) ? null : RegionAsked);
            _picked.Clear();
            _picked.AddRange((Picks ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Distinct().Take(CompareDrawer.Most));
        }

        return base.OnParametersSetAsync();
    }

    private const int FillsTheBar = 20; // a bar is as wide as the twentieth cheapest total: the dear tail must not flatten the rest

    private void Typed(ChangeEventArgs typed)
    {
        _find = (string?)typed.Value ?? "";
        _board.Narrow(_find, Region);
    }

    private void KeepInAddress() => Navigate(Address(Filter, _board.Sort));

    private void Narrow(string find, string? region)
    {
        _find = find;
        _board.Narrow(find, region);
        Navigate(Address(Filter, _board.Sort));
    }

    private void SetMax(ChangeEventArgs typed)
    {
        _max = ((string?)typed.Value ?? "").Trim();
        _maxProblem = _max.Length > 0 && ReadRate(_max) is null ? RateProblem(_max) : null;
        if (_maxProblem is null)
        {
            Go(Filter with { MaxRate = ReadRate(_max) });
        }
    }

    private void Pick(OfferRow row)
    {
        if (!_picked.Remove(row.Key) && _picked.Count < CompareDrawer.Most)
        {
            _picked.Add(row.Key);
        }

        Navigate(Address(Filter, _board.Sort));
    }

    private void ClosePicks()
    {
        _picked.Clear();
        Navigate(Address(Filter, _board.Sort));
    }

    /// <summary>Another question begins at its cheapest page.</summary>
    private void Go(MarketFilter filter) => Navigation.NavigateTo(Address(filter with { Pages = 1 }, _board.Sort));

    private void Navigate(string address)
    {
        _heard = string.Join('\n', _find.Length > 0 ? _find : null, Region, MaxText(Filter.MaxRate), _picked.Count > 0 ? string.Join(',', _picked) : null);
        Navigation.NavigateTo(address, replace: true);
    }

    private string Address(MarketFilter filter, OfferSort sort) => Addresses.With($"/t/{Team.Slug}/market",
    [
        ("for", filter.For), .. Narrowed(filter), ("max", MaxText(filter.MaxRate)),
        ("history", filter.BadHistory ? "all" : null), ("region", Region), ("pages", filter.Pages == 1 ? null : filter.Pages.ToString(Invariant)), ("q", _find.Length > 0 ? _find : null),
        ("sort", sort == OfferSort.Total ? null : sort.ToString().ToLowerInvariant()),
        ("pick", _picked.Count > 0 ? string.Join(',', _picked) : null),
    ]);

    /// <summary>The form for a price alert, filled with this filter. Its threshold is of the GPU alone, so the all-in rate stays here.</summary>
    private string AlertAddress => Addresses.With($"/t/{Team.Slug}/prices", [("tab", "alerts"), ("any", Filter.Gpu is null ? "1" : null), .. Narrowed(Filter)]);

    /// <summary>Which machines on which hosts, as this page and the form for a price alert read it.</summary>
    private static (string Name, string? Value)[] Narrowed(MarketFilter filter) =>
    [
        ("gpu", filter.Gpu), ("count", filter.Count == 1 ? null : filter.Count.ToString(Invariant)), ("vram", filter.VramGb?.ToString(Invariant)),
        ("rel", filter.ReliabilityPercent?.ToString(Invariant)), ("down", filter.DownloadMbps?.ToString(Invariant)),
        ("cuda", filter.Cuda?.ToString(Invariant)), ("days", filter.ContractDays?.ToString(Invariant)), ("verified", filter.Unverified ? "0" : null),
        ("type", filter.Rental == RentalType.Interruptible ? Bid : null),
    ];

    private static string? MaxText(HourlyRate? rate) => rate?.Usd.ToString("0.######", Invariant);

    private static string RateProblem(string typed) => $"“{typed}” is no rate; enter dollars an hour, for example 0.80.";

    private static HourlyRate? ReadRate(string? text) =>
        decimal.TryParse(text?.Trim().TrimStart('$'), NumberStyles.Number, Invariant, out var usd) && usd is > 0 and <= 10_000 ? HourlyRate.FromUsd(usd) : null;

    private static string? Text(ChangeEventArgs e) => e.Value is string { Length: > 0 } text ? text.Trim() : null;

    private static int? OneOf(string? text, int[] allowed) => int.TryParse(text, Invariant, out var number) && allowed.Contains(number) ? number : null;

    private static decimal? OneOf(string? text, decimal[] allowed) => decimal.TryParse(text, Invariant, out var number) && allowed.Contains(number) ? number : null;
}
