using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Costs;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Machines;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Costs;

/// <summary>What was spent, from the ledger only.</summary>
public sealed class CostQueries(AppDatabase database, MachineQueries machines, TimeProvider time)
{
    private const int Series = 6;
    private const int MostRows = 50;

    public async Task<CostsView> ExploreAsync(TeamContext team, CostsQuestion question, CancellationToken ct)
    {
        team.Require(Permission.SeeMoney);
        var burning = question.Period.Includes(question.Today) ? (await machines.ListAsync(team, ended: false, ct)).Rows : [];
        await using var db = await database.ForTeamAsync(team, ct);
        var simulated = await OnlySimulatedAsync(db, ct);
        var now = await SlicesAsync(db, team.TeamId, simulated, question.Scope, question.Period, ct);
        var compared = question.Period.Before(question.Today);
        var before = await SlicesAsync(db, team.TeamId, simulated, question.Scope, compared, ct);
        var names = await NamesAsync(db, question.Scope, now, before, ct);
        var first = await db.Ledger.Where(e => e.TeamId == team.TeamId && e.Market.Simulated == simulated).OrderBy(e => e.PeriodStart).Select(e => (DateTimeOffset?)e.PeriodStart).FirstOrDefaultAsync(ct);

        var rows = Rows(question, now, before, names, simulated);
        rows = await WithRatesAsync(db, rows, question, [.. burning.Where(m => m.MayBill && m.Market.Simulated == simulated)], ct);
        var gpus = now.GroupBy(s => (s.Gpu, s.Provider))
            .Select(g => new GpuCost(g.Key.Gpu, g.Key.Provider, TimeSpan.FromMilliseconds(g.Where(s => s.Kind == ChargeKind.Gpu).Sum(s => s.Milliseconds)), Sum(g)))
            .OrderByDescending(g => g.Spent).ToList();
        return new CostsView(
            Totals(now, names), Totals(before, names), compared, simulated && first is not null, rows, gpus, await ForecastAsync(db, team.TeamId, simulated, question, Sum(now), first, ct), names.OfScope(question.Scope), first);
    }

    /// <summary>Whether the team's money is play money: it has no real connection. Totals of the two never mix.</summary>
    internal static async Task<bool> OnlySimulatedAsync(AppDbContext db, CancellationToken ct) =>
        !await db.Connections.AnyAsync(c => c.Status != ConnectionStatus.Removed && !c.Market.Simulated, ct);

    private static Money Sum(IEnumerable<Slice> slices) => new(slices.Sum(s => s.Micros));

    /// <summary>Summed by the database to the reader's day. The team is named here too: the filter that every context has cannot lead to an index. Days of one length are one question; a day on which the clocks change is one of its own.</summary>
    private static async Task<List<Slice>> SlicesAsync(AppDbContext db, TeamId team, bool simulated, CostScope scope, CostPeriod period, CancellationToken ct)
    {
        var slices = new List<Slice>();
        foreach (var (start, end, first, length) in period.Stretches())
        {
            var (from, until, begin, day) = (Step(start), Step(end), start.ToUnixTimeMilliseconds(), (long)length.TotalMilliseconds);
            var number = first.DayNumber;
            slices.AddRange(await scope.Of(db.SpendSteps.Where(e => e.TeamId == team && e.Simulated == simulated && e.Step >= from && e.Step < until), db)
                .GroupBy(e => new { e.InstanceId, e.Kind, e.ProjectId, e.TagsKey, Day = (e.Step * SpendStep.Length - begin) / day }) // a machine has one job, one person, one GPU
                .Select(g => new Slice(
                    g.Min(e => e.JobId), g.Key.ProjectId, g.Min(e => e.PersonId), g.Min(e => e.GpuName)!, g.Min(e => e.Provider), g.Key.Kind, g.Key.TagsKey, (int)g.Key.Day + number,
                    g.Sum(e => e.Micros), g.Sum(e => e.EstimatedMicros), g.Sum(e => e.Milliseconds)))
                .ToListAsync(ct));
        }

        return slices;
    }

    /// <summary>The first quarter of an hour that begins at or after an instant.</summary>
    internal static long Step(DateTimeOffset at) => (at.ToUnixTimeMilliseconds() + SpendStep.Length - 1) / SpendStep.Length;

    private static async Task<Names> NamesAsync(AppDbContext db, CostScope scope, List<Slice> now, List<Slice> before, CancellationToken ct)
    {
        var jobIds = now.Concat(before).Select(s => s.Job).Distinct().ToList();
        var jobs = await db.Jobs.AsNoTracking().Where(j => jobIds.Contains(j.Id) || j.Number == scope.Job)
            .Select(j => new JobName(j.Id, j.Number, j.Name, j.Status, db.Artifacts.Any(a => a.JobId == j.Id))).ToDictionaryAsync(j => j.Id, ct);
        var projects = await db.Projects.AsNoTracking().OrderBy(p => p.CreatedAt).ThenBy(p => p.Name).Select(p => new { p.Id, p.Name }).ToListAsync(ct);
        var ids = now.Concat(before).Select(s => s.Person.Value).Distinct().ToList();
        var people = await db.Users.Where(u => ids.Contains(u.Id)).ToDictionaryAsync(u => u.Id, u => u.DisplayName, ct);
        return new Names(jobs, projects.ToDictionary(p => p.Id, p => p.Name), [.. projects.Select(p => p.Id)], people);
    }

    private static List<CostRow> Rows(CostsQuestion question, List<Slice> now, List<Slice> before, Names names, bool simulated)
    {
        var (by, period) = (question.By, question.Period);
        var compared = before.ToLookup(s => names.Key(s, by));
        var groups = now.GroupBy(s => names.Key(s, by)).Select(g => (g.Key, Slices: g.ToList(), Spent: Sum(g))).OrderByDescending(g => g.Spent).ToList();
        var rows = groups.Take(groups.Count > MostRows ? MostRows - 1 : MostRows).Select((g, rank) =>
        {
            // A project has its colour for ever; everything else by its rank.
            var color = by == CostSplit.Project ? names.ProjectOrder.IndexOf(g.Slices[0].Project) : rank;
            return new CostRow(
                g.Key, names.Of(g.Slices[0], by, simulated), by == CostSplit.Job ? names.Jobs[g.Slices[0].Job].Number : null, color is >= 0 and < Series ? $"c{color + 1}" : "c7",
                g.Spent, Sum(compared[g.Key]), JobCount(g.Slices), null, Bars(g.Slices, period), Parts(g.Slices, question.Then, names, simulated));
        }).ToList();
        if (groups.Count > MostRows)
        {
            var rest = groups[(MostRows - 1)..].SelectMany(g => g.Slices).ToList();
            var keys = rest.Select(s => names.Key(s, by)).ToHashSet();
            rows.Add(new CostRow(null, $"{keys.Count} more", null, "c7", Sum(rest), Sum(keys.SelectMany(k => compared[k])), JobCount(rest), null, Bars(rest, period), []));
        }

        return rows;
    }

    private static int JobCount(IEnumerable<Slice> slices) => slices.Select(s => s.Job).Distinct().Count();

    private static IReadOnlyList<CostPart> Parts(List<Slice> slices, CostSplit? then, Names names, bool simulated) => then is not { } split
        ? []
        : [.. slices.GroupBy(s => names.Key(s, split)).Select(g => new CostPart(names.Of(g.First(), split, simulated), Sum(g), JobCount(g))).OrderByDescending(p => p.Spent)];

    private static Money[] Bars(List<Slice> slices, CostPeriod period)
    {
        var bars = new Money[period.Bars];
        foreach (var slice in slices)
        {
            bars[period.BarOf(DateOnly.FromDayNumber(slice.Day))] += new Money(slice.Micros);
        }

        return bars;
    }

    private static CostTotals Totals(List<Slice> slices, Names names)
    {
        Money Of(Func<Slice, bool> counts) => Sum(slices.Where(counts));
        var finished = slices.Where(s => names.Jobs[s.Job].Status == JobStatus.Succeeded).ToList();
        return new CostTotals(
            Sum(slices), Of(s => s.Kind == ChargeKind.Gpu), Of(s => s.Kind == ChargeKind.Disk), Of(s => s.Kind is ChargeKind.Download or ChargeKind.Upload), Of(s => s.Kind == ChargeKind.Adjustment),
            new Money(slices.Sum(s => s.EstimatedMicros)), Of(s => names.Jobs[s.Job] is { HasFiles: false } job && JobRules.IsFinal(job.Status)), JobCount(slices), JobCount(finished), Sum(finished));
    }

    private async Task<SpendForecast?> ForecastAsync(AppDbContext db, TeamId team, bool simulated, CostsQuestion question, Money spent, DateTimeOffset? first, CancellationToken ct)
    {
        var (period, scope, today) = (question.Period, question.Scope, question.Today);
        if (first is not { } beginning || !period.Includes(today))
        {
            return null;
        }

        var earliest = today.AddDays(-SpendPattern.MostDays);
        var from = period.Zone.Day(beginning) is var began && began > earliest ? began : earliest;
        if (from >= today)
        {
            return null;
        }

        var byDay = await ByDayAsync(db, team, simulated, scope, new CostPeriod(from, today.AddDays(-1), period.Zone), ct);
        var full = Enumerable.Range(0, today.DayNumber - from.DayNumber).Select(from.AddDays).Select(d => new SpendDay(d, byDay.GetValueOrDefault(d))).ToList();
        var now = time.GetUtcNow();
        var committed = (await CommittedSpend.OfAsync(db, team, simulated, now, ct)).Where(job => job.IsIn(scope)).Select(job => job.Spend).ToList();
        return SpendForecast.Of(spent, full, committed, period.Ahead(now));
    }

    private static async Task<Dictionary<DateOnly, Money>> ByDayAsync(AppDbContext db, TeamId team, bool simulated, CostScope scope, CostPeriod period, CancellationToken ct)
    {
        var days = new Dictionary<DateOnly, Money>();
        foreach (var (start, end, first, length) in period.Stretches())
        {
            var (from, until, begin, day) = (Step(start), Step(end), start.ToUnixTimeMilliseconds(), (long)length.TotalMilliseconds);
            foreach (var sum in await scope.Of(db.SpendSteps.Where(e => e.TeamId == team && e.Simulated == simulated && e.Step >= from && e.Step < until), db)
                .GroupBy(e => (e.Step * SpendStep.Length - begin) / day).Select(g => new { g.Key, Micros = g.Sum(e => e.Micros) }).ToListAsync(ct))
            {
                days[first.AddDays((int)sum.Key)] = new Money(sum.Micros);
            }
        }

        return days;
    }

    private static async Task<List<CostRow>> WithRatesAsync(AppDbContext db, List<CostRow> rows, CostsQuestion question, List<MachineRow> burning, CancellationToken ct)
    {
        var (by, scope) = (question.By, question.Scope);
        if (by == CostSplit.Kind || scope.Kind is not null || !question.Period.Includes(question.Today))
        {
            return rows;
        }

        var numbers = burning.Select(m => m.JobNumber).Distinct().ToList();
        var jobs = await db.Jobs.AsNoTracking().Where(j => numbers.Contains(j.Number)).Select(j => new { j.Number, j.ProjectId, j.CreatedBy, j.Tags }).ToDictionaryAsync(j => j.Number, ct);
        var rates = burning
            .Where(m => (scope.Job is null || scope.Job == m.JobNumber) && (scope.Gpu is null || scope.Gpu == m.GpuName) && (scope.Provider is null || scope.Provider == m.Market.Provider)
                && (scope.Project is null || scope.Project == jobs[m.JobNumber].ProjectId) && (scope.Person is null || scope.Person == jobs[m.JobNumber].CreatedBy)
                && (scope.Tag is null || (scope.WantedTags.Tags.All(jobs[m.JobNumber].Tags.Contains) && (!scope.WantedTags.Exactly || scope.WantedTags.Tags.Count == jobs[m.JobNumber].Tags.Count))))
            .GroupBy(m => by switch
            {
                CostSplit.Project => new CostScope(Project: jobs[m.JobNumber].ProjectId).Parameter(by),
                CostSplit.Person => new CostScope(Person: jobs[m.JobNumber].CreatedBy).Parameter(by),
                CostSplit.Job => new CostScope(Job: m.JobNumber).Parameter(by),
                CostSplit.Gpu => m.GpuName,
                CostSplit.Provider => new CostScope(Provider: m.Market.Provider).Parameter(by),
                CostSplit.Kind => null,
                CostSplit.Tag => CostScope.ExactTags(jobs[m.JobNumber].Tags),
            })
            .ToDictionary(g => g.Key!, g => g.Aggregate(HourlyRate.Zero, (sum, m) => sum + m.Rate));
        return [.. rows.Select(row => row.Key is { } key ? row with { RateNow = rates.GetValueOrDefault(key) } : row)];
    }

    /// <summary>What one machine was charged of one kind in one of the reader's days.</summary>
    /// <param name="Tags">As JSON.</param>
    /// <param name="Day">The day's number.</param>
    private sealed record Slice(JobId Job, ProjectId Project, UserId Person, string Gpu, Provider Provider, ChargeKind Kind, string Tags, int Day, long Micros, long EstimatedMicros, long Milliseconds);

    private sealed record JobName(JobId Id, int Number, string Name, JobStatus Status, bool HasFiles);

    private sealed record Names(Dictionary<JobId, JobName> Jobs, Dictionary<ProjectId, string> Projects, List<ProjectId> ProjectOrder, Dictionary<Guid, string> People)
    {
        private readonly Dictionary<string, IReadOnlyList<string>> _tags = [];

        public string Key(Slice slice, CostSplit split) => split switch
        {
            CostSplit.Project => new CostScope(Project: slice.Project).Parameter(split)!,
            CostSplit.Person => new CostScope(Person: slice.Person).Parameter(split)!,
            CostSplit.Job => new CostScope(Job: Jobs[slice.Job].Number).Parameter(split)!,
            CostSplit.Gpu => slice.Gpu,
            CostSplit.Provider => new CostScope(Provider: slice.Provider).Parameter(split)!,
            CostSplit.Kind => new CostScope(Kind: slice.Kind).Parameter(split)!,
            CostSplit.Tag => CostScope.ExactTags(TagsOf(slice)),
        };

        public string Of(Slice slice, CostSplit split, bool simulated) => split switch
        {
            CostSplit.Project => Projects.GetValueOrDefault(slice.Project, "no project"),
            CostSplit.Person => People.GetValueOrDefault(slice.Person.Value, "a former member"),
            CostSplit.Job => Jobs[slice.Job].Name,
            CostSplit.Gpu => slice.Gpu,
            CostSplit.Provider => CostWords.Of(slice.Provider, simulated),
            CostSplit.Kind => CostWords.Of(slice.Kind),
            CostSplit.Tag => CostWords.Of(TagsOf(slice)),
        };

        private IReadOnlyList<string> TagsOf(Slice slice)
        {
            if (!_tags.TryGetValue(slice.Tags, out var tags))
            {
                _tags[slice.Tags] = tags = JsonSerializer.Deserialize<string[]>(slice.Tags) ?? [];
            }

            return tags;
        }

        public ScopeNames OfScope(CostScope scope) => new(
            scope.Project is { } project ? Projects.GetValueOrDefault(project) : null,
            scope.Person is { } person ? People.GetValueOrDefault(person.Value) : null,
            scope.Job is { } number ? Jobs.Values.FirstOrDefault(j => j.Number == number)?.Name : null);
    }
}
