using Dashboard.Domain;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Components;
using Microsoft.AspNetCore.Components;

namespace Dashboard.Web.Features.Jobs;

/// <summary>The list of jobs. What it shows is in its address; while one looks, rows keep their places and new ones wait to be shown.</summary>
public sealed partial class JobsPage
{
    private readonly HashSet<int> _picked = [];
    private string? _typed;
    private JobsOptions? _options;
    private JobsFilter? _shownFor;
    private IReadOnlyList<JobId> _shown = [];
    private int _new;
    private IReadOnlyList<int> _asking = [];
    private BulkStop? _plan;

    [SupplyParameterFromQuery(Name = "status")] public string? Status { get; set; }

    [SupplyParameterFromQuery(Name = "q")] public string? Query { get; set; }

    [SupplyParameterFromQuery(Name = "page")] public int? Page { get; set; }

    /// <summary><c>me</c>, or a member's id.</summary>
    [SupplyParameterFromQuery(Name = "by")] public string? By { get; set; }

    [SupplyParameterFromQuery(Name = "project")] public string? Project { get; set; }

    [SupplyParameterFromQuery(Name = "tag")] public string? Tag { get; set; }

    [SupplyParameterFromQuery(Name = "gpu")] public string? Gpu { get; set; }

    [SupplyParameterFromQuery(Name = "provider")] public string? Provider { get; set; }

    [SupplyParameterFromQuery(Name = "sort")] public string? Sort { get; set; }

    private JobsShown Shown => Status switch { "ended" => JobsShown.Ended, "all" => JobsShown.All, _ => JobsShown.Active };

    private string? Text => Given(Query);

    private string? Dropped
    {
        get
        {
            var unknown = Status is not (null or "active" or "ended" or "all") ? $"There is no status “{Status}”; active jobs are shown."
                : Given(By) is { } by && PersonOf(by) is null ? $"Nobody is called “{by}” here; everybody's jobs are shown."
                : Given(Sort) is { } sort && !Sorts.ContainsKey(sort) ? $"There is no order “{sort}”; the newest come first."
                : null;
            return unknown;
        }
    }

    private static Dictionary<string, JobsSort> Sorts { get; } = new() { ["-started"] = JobsSort.Newest, ["started"] = JobsSort.Oldest, ["name"] = JobsSort.Name, ["-cost"] = JobsSort.Cost };

    private JobsFilter Filter => new(
        Shown, Text, Math.Max(1, Page ?? 1), PersonOf(By), Given(Project), Given(Tag), Given(Gpu), Given(Provider), Sorts.GetValueOrDefault(Given(Sort) ?? "-started"));

    protected override object? Asks => Filter;

    /// <summary>Filters that hide something, by name, and the list without each.</summary>
    private IEnumerable<(string Name, JobsFilter Without)> Droppable => new (string Name, string? Value, JobsFilter Without)[]
    {
        ("the search", Filter.Text, Filter with { Text = null }),
        ("the person", Filter.By is null ? null : By, Filter with { By = null }),
        ($"project {Filter.Project}", Filter.Project, Filter with { Project = null }),
        ($"tag {Filter.Tag}", Filter.Tag, Filter with { Tag = null }),
        ($"{Filter.Gpu}", Filter.Gpu, Filter with { Gpu = null }),
        ($"{Filter.Provider}", Filter.Provider, Filter with { Provider = null }),
    }.Where(f => f.Value is not null).Select(f => (f.Name, f.Without with { Page = 1 }));

    protected override async Task OnParametersSetAsync()
    {
        _typed = Text;
        await base.OnParametersSetAsync();
    }

    protected override async Task<JobsView> QueryAsync(CancellationToken ct)
    {
        _options ??= await Queries.OptionsAsync(Team, ct);
        var filter = Filter;
        var view = await Queries.ListAsync(Team, filter, ct);
        if (_asking.Count > 0)
        {
            _plan = await Stopping.PlanAsync(Team, _asking, ct);
        }

        if (_shownFor != filter || _shown.Count == 0)
        {
            (_shownFor, _shown, _new) = (filter, [.. view.Rows.Select(r => r.Id)], 0);
            _picked.IntersectWith(view.Rows.Select(r => r.Number));
            return view;
        }

        // Rows stay where they are, those that fit no more with their new status; new ones wait.
        var left = _shown.Except(view.Rows.Select(r => r.Id)).ToList();
        var rows = view.Rows.Concat(left.Count == 0 ? [] : await Queries.RowsAsync(Team, left, ct)).ToDictionary(r => r.Id);
        _new = view.Rows.Count(r => !_shown.Contains(r.Id));
        return view with { Rows = [.. _shown.Where(rows.ContainsKey).Select(id => rows[id])] };
    }

    private async Task ShowNewAsync()
    {
        _shown = [];
        await ReadAsync();
    }

    private void Pick(int number)
    {
        if (!_picked.Remove(number))
        {
            _picked.Add(number);
        }
    }

    private async Task AskAsync(IReadOnlyList<int> numbers)
    {
        _asking = numbers;
        _plan = await Stopping.PlanAsync(Team, numbers, CancellationToken.None);
    }

    private void CloseStop() => (_asking, _plan) = ([], null);

    private async Task StopAsync(CancelMode mode)
    {
        if (_plan is not { } plan)
        {
            return;
        }

        var (asked, over) = await Stopping.RunAsync(Team, plan, mode, Time.GetUtcNow(), CancellationToken.None); // asked is asked, even if the page is left now
        CloseStop();
        _picked.Clear();
        Toasts.Add(BulkStopping.Words(asked, over), asked > 0 ? MudBlazor.Severity.Normal : MudBlazor.Severity.Info);
        await ReadAsync();
    }

    private void Search() => Navigation.NavigateTo(Address(Filter with { Text = Given(_typed), Page = 1 }));

    private string? Current(JobsShown shown) => shown == Shown ? "page" : null;

    private string SortHref(JobsSort sort) => Address(Filter with { Sort = sort, Page = 1 });

    private string Address(JobsFilter filter) => Addresses.With($"/t/{Team.Slug}/jobs",
        ("status", filter.Shown == JobsShown.Active ? null : filter.Shown.ToString().ToLowerInvariant()),
        ("by", filter.By is { } person ? Key(person) : null), ("project", filter.Project), ("tag", filter.Tag), ("gpu", filter.Gpu), ("provider", filter.Provider), ("q", filter.Text),
        ("sort", filter.Sort == JobsSort.Newest ? null : Sorts.First(s => s.Value == filter.Sort).Key),
        ("page", filter.Page == 1 ? null : filter.Page.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    private string Key(UserId person) => person == Team.UserId ? "me" : person.Value.ToString("N");

    private UserId? PersonOf(string? text) => Given(text) switch
    {
        null => null,
        "me" => Team.UserId,
        var id => Guid.TryParse(id, out var value) ? new UserId(value) : null,
    };

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    /// <summary>A filter to choose from; none where there is nothing to choose.</summary>
    private RenderFragment Choice(string label, string? chosen, IReadOnlyList<(string Key, string Name)> options, Func<string?, JobsFilter> with) => builder =>
    {
        if (options.Count < 2 && chosen is null)
        {
            return;
        }

        builder.OpenComponent<FilterChoice>(0);
        builder.SetKey(label);
        builder.AddComponentParameter(1, nameof(FilterChoice.Label), label);
        builder.AddComponentParameter(2, nameof(FilterChoice.Chosen), chosen);
        builder.AddComponentParameter(3, nameof(FilterChoice.Options), options);
        builder.AddComponentParameter(4, nameof(FilterChoice.OnChoose), EventCallback.Factory.Create<string?>(this, value => Navigation.NavigateTo(Address(with(value)))));
        builder.CloseComponent();
    };
}
