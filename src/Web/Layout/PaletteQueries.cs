using System.Globalization;
using System.Text.RegularExpressions;
using Dashboard.Domain.Catalog;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Layout;

/// <summary>One line of the palette.</summary>
/// <param name="Detail">What it costs or saves, where it leads; shown after the title.</param>
/// <param name="Href">Where it leads. Nothing is done by choosing a line: what costs or destroys is asked for there.</param>
/// <param name="Keys">The same by keyboard, where there is a way.</param>
/// <param name="Script">Done by the page itself instead of leading anywhere: <c>theme</c>, <c>help</c>.</param>
public sealed record PaletteItem(string Title, string? Detail, string Glyph, string? Href, string? Keys = null, string? Script = null);

public sealed record PaletteGroup(string Name, IReadOnlyList<PaletteItem> Items);

/// <summary>What the palette finds: jobs, machines and actions, at most eight each, pages and help, and only what the role may do.</summary>
public sealed partial class PaletteQueries(AppDatabase database)
{
    public const int MostOfEach = 8;

    private const int MostStops = 3;

    /// <param name="text">As typed; empty shows where one can begin.</param>
    /// <param name="administrator">Whether the reader is a site administrator.</param>
    public async Task<IReadOnlyList<PaletteGroup>> FindAsync(TeamContext team, string text, bool administrator, CancellationToken ct)
    {
        team.Require(Permission.See);
        text = text.Trim();
        var stopping = team.May(Permission.StopJobs) && StopVerb().Match(text) is { Success: true } verb ? verb.Groups[1].Value : null;
        await using var db = await database.ForTeamAsync(team, ct);
        var jobs = await JobsAsync(db, stopping ?? text, ct);
        var machines = text.Length < 2 ? [] : await MachinesAsync(db, team, text, ct);

        PaletteGroup[] groups =
        [
            new("Jobs", stopping is null ? [.. jobs.Select(job => JobItem(team, job))] : []),
            new("Machines", machines),
            new("Actions", [.. Actions(team, text, stopping, jobs).Take(MostOfEach)]),
            new("Pages", [.. Pages(team, administrator).Where(page => Matches(page.Title, text))]),
            new("Help", [.. new[] { new PaletteItem("Keyboard", "every key there is", Glyphs.Help, null, "?", "help") }.Where(help => Matches("Keyboard keys shortcuts help", text))]),
        ];
        return [.. groups.Where(group => group.Items.Count > 0)];
    }

    private static async Task<IReadOnlyList<FoundJob>> JobsAsync(AppDbContext db, string text, CancellationToken ct)
    {
        var found = await JobsListQueries.Matching(db, db.Jobs.AsNoTracking(), text)
            .OrderBy(j => j.Status == JobStatus.Succeeded || j.Status == JobStatus.Failed || j.Status == JobStatus.Cancelled).ThenByDescending(j => j.Number)
            .Take(MostOfEach).Select(j => new { j.Id, j.Number, j.Name, j.Status, j.Estimate }).ToListAsync(ct);
        var ids = found.Select(j => j.Id).ToList();
        var costs = await db.Ledger.Where(e => ids.Contains(e.JobId)).GroupBy(e => e.JobId)
            .Select(g => new { g.Key, Micros = g.Sum(e => e.Amount.Micros) }).ToDictionaryAsync(g => g.Key, g => new Money(g.Micros), ct);
        return [.. found.Select(j => new FoundJob(j.Number, j.Name, j.Status, costs.GetValueOrDefault(j.Id), j.Estimate?.Expected))];
    }

    private static async Task<IReadOnlyList<PaletteItem>> MachinesAsync(AppDbContext db, TeamContext team, string text, CancellationToken ct)
    {
        var lower = text.ToLowerInvariant();
#pragma warning disable CA1304, CA1311, CA1862 // translated to SQL's lower(), which knows no culture
        var found = await db.Instances.AsNoTracking()
            .Where(i => i.Status != InstanceStatus.Gone && i.Status != InstanceStatus.Rejected)
            .Where(i => i.ContractId == text || i.MachineId == text || i.GpuName.ToLower().Contains(lower) || i.Location!.ToLower().Contains(lower))
            .OrderByDescending(i => i.CreatedAt).Take(MostOfEach)
            .Join(db.Jobs, i => i.JobId, j => j.Id, (i, j) => new { i.GpuName, i.Location, i.ContractId, i.Status, j.Number }).ToListAsync(ct);
#pragma warning restore CA1304, CA1311, CA1862
        return [.. found.Select(m => new PaletteItem($"{m.GpuName}{(m.Location is null ? "" : $" in {m.Location}")}", $"{StatusFace.Of(m.Status).Word} · #{m.Number}{(m.ContractId is null ? "" : $" · {m.ContractId}")}", Glyphs.Machine, $"/t/{team.Slug}/machines"))];
    }

    private static PaletteItem JobItem(TeamContext team, FoundJob job) => new(
        $"{job.Name} #{job.Number}",
        StatusFace.Of(job.Status).Word + (team.May(Permission.SeeMoney) ? $" · {Numbers.Amount(job.Cost)}" : ""),
        StatusFace.Of(job.Status).Glyph,
        $"/t/{team.Slug}/jobs/{job.Number}");

    private static IEnumerable<PaletteItem> Actions(TeamContext team, string text, string? stopping, IReadOnlyList<FoundJob> jobs)
    {
        if (team.May(Permission.StopJobs) && text.Length > 0)
        {
            foreach (var job in jobs.Where(j => JobRules.MayCancel(j.Status)).Take(stopping is null ? MostStops : MostOfEach))
            {
                var saves = team.May(Permission.SeeMoney) && job.Expected is { } expected && expected > job.Cost ? $"saves {Numbers.About(expected - job.Cost)} · " : "";
                yield return new PaletteItem($"Stop {job.Name} #{job.Number}…", saves + "asks how first", Glyphs.Stop, $"/t/{team.Slug}/jobs/{job.Number}?ask=stop");
            }
        }

        if (OfferWish(team, text) is { } wish)
        {
            yield return wish;
        }

        if (team.May(Permission.StartJobs))
        {
            foreach (var (title, detail, path, keys) in new[]
            {
                ("New job", "choose the offer, see the total, start", "/jobs/new", "C"),
                ("Run the smoke test", "proves the whole chain for about a cent", "/jobs/new?preset=smoke", null),
                ("Run a command of your own", "a script and the files it brings home", "/jobs/new?preset=command", null),
            })
            {
                if (Matches($"{title} start submit", text))
                {
                    yield return new PaletteItem(title, detail, Glyphs.Plus, $"/t/{team.Slug}{path}", keys);
                }
            }
        }

        if (team.May(Permission.ManageConnections) && Matches("Connect an account add connection key", text))
        {
            yield return new PaletteItem("Connect an account", "its key is tried before it is stored", Glyphs.Plug, $"/t/{team.Slug}/connections");
        }

        if (Matches("Switch between light and dark theme", text))
        {
            yield return new PaletteItem("Switch between light and dark", null, Glyphs.Theme, null, "T", "theme");
        }
    }

    /// <summary><c>4090</c>, <c>4090 under 0.40</c>, <c>h100 &lt; 2</c>: the market with those filters.</summary>
    private static PaletteItem? OfferWish(TeamContext team, string text)
    {
        if (Wish().Match(text) is not { Success: true } wish)
        {
            return null;
        }

        var name = wish.Groups["gpu"].Value.Trim();
        var model = name.Length < 2 ? null : GpuCatalog.All.Where(gpu => gpu.Name.Contains(name, StringComparison.OrdinalIgnoreCase)).OrderBy(gpu => gpu.Name.Length).FirstOrDefault()?.Name;
        var most = decimal.TryParse(wish.Groups["usd"].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var usd) && usd > 0 ? wish.Groups["usd"].Value : null;
        return model is null ? null : new PaletteItem(
            $"Offers of {model}{(most is null ? "" : $" up to {Numbers.Rate(HourlyRate.FromUsd(usd))}")}", "in Market", Glyphs.Market,
            Addresses.With($"/t/{team.Slug}/market", ("gpu", model), ("max", most)));
    }

    private static IEnumerable<PaletteItem> Pages(TeamContext team, bool administrator) =>
    [
        .. KeyMap.Places.Select(place => new PaletteItem(place.Word, null, place.Glyph, $"/t/{team.Slug}{place.Path}", $"G {place.Letter.ToUpperInvariant()}")),
        new("Inbox", "what needs attention", Glyphs.Bell, $"/t/{team.Slug}/inbox", "I"),
        .. administrator ? [new PaletteItem("System", "requests to providers", Glyphs.Gear, "/system")] : Array.Empty<PaletteItem>(),
        new("Connections", null, Glyphs.Plug, $"/t/{team.Slug}/connections"),
        new("Alerts", "rules and prices", Glyphs.Warning, $"/t/{team.Slug}/alerts"),
        new("Notifications", "mail, chat and web hooks", Glyphs.Bell, $"/t/{team.Slug}/settings/notifications"),
        new("Account", null, Glyphs.People, "/account"),
    ];

    /// <summary>Every word typed begins a word of the line.</summary>
    private static bool Matches(string words, string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .All(typed => words.Split(' ').Any(word => word.StartsWith(typed, StringComparison.OrdinalIgnoreCase)));

    [GeneratedRegex(@"^(?:stop|cancel)\b\s*(.*)$", RegexOptions.IgnoreCase)]
    private static partial Regex StopVerb();

    [GeneratedRegex(@"^(?<gpu>[a-z0-9 ]+?)(?:\s*(?:<|under|below|max|up to)\s*\$?(?<usd>[0-9]+(?:\.[0-9]+)?))?$", RegexOptions.IgnoreCase)]
    private static partial Regex Wish();

    private sealed record FoundJob(int Number, string Name, JobStatus Status, Money Cost, Money? Expected);
}
