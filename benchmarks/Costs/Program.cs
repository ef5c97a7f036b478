using System.Diagnostics;
using System.Globalization;
using Dashboard.Benchmarks.Costs;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Logs;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Costs;
using Dashboard.Web.Layout;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

// Prints "figure<TAB>group<TAB>milliseconds..." a line for each series; the table is made from them.
var rounds = int.Parse(args[0], CultureInfo.InvariantCulture);
var entries = int.Parse(args[1], CultureInfo.InvariantCulture);
var folder = Directory.CreateTempSubdirectory("dashboard-costs-");
try
{
    var file = Path.Combine(folder.FullName, "bench.db");
    var services = new ServiceCollection();
    services.AddLogging();
    services.AddSingleton<TimeProvider>(new StandingClock());
    services.AddSingleton<ChangeFeed>();
    services.AddSingleton(new DataDirectory(folder.FullName));
    services.AddSingleton<MetricsStore>();
    services.AddPersistence($"Data Source={file}");
    services.AddPages();
    await using var provider = services.BuildServiceProvider();

    var ledger = new BigLedger(file, entries);
    var making = Stopwatch.StartNew();
    await ledger.MakeAsync(provider.GetRequiredService<AppDatabase>());
    Console.Error.WriteLine($"{entries:#,##0} entries made in {making.Elapsed.TotalSeconds:0.0} s, {new FileInfo(file).Length / 1_000_000} MB");

    var team = TeamContext.Of(ledger.Team, new Membership { TeamId = ledger.Team.Id, UserId = new Dashboard.Domain.UserId(ledger.Person), Role = Role.Owner, Since = BigLedger.Now });
    var costs = provider.GetRequiredService<CostQueries>();
    var zone = ReaderZone.Named("Europe/Berlin");
    var today = zone.Day(BigLedger.Now);
    (string Name, CostPeriod Period)[] periods = [("month", CostPeriod.Month(today, zone)), ("year", new CostPeriod(today.AddDays(-364), today, zone))];
    var series = new SortedDictionary<(int Order, string Figure, string Group), List<double>>();
    for (var round = -1; round < rounds; round++) // the first one warms up
    {
        var order = 0;
        foreach (var (name, period) in periods)
        {
            foreach (var by in Enum.GetValues<CostSplit>())
            {
                var question = new CostsQuestion(period, CostScope.All, by, by == CostSplit.Project ? CostSplit.Person : CostSplit.Project, today);
                await TimeAsync($"{name}, ours", by.ToString(), () => costs.ExploreAsync(team, question, default));
                await TimeAsync($"{name}, SQL", by.ToString(), () => HandWritten.RunAsync(file, ledger.Team.Id, period, by));
            }
        }

        async Task TimeAsync(string figure, string group, Func<Task> run)
        {
            var watch = Stopwatch.StartNew();
            await run();
            if (round >= 0)
            {
                var key = (order, figure, group);
                series.TryAdd(key, []);
                series[key].Add(watch.Elapsed.TotalMilliseconds);
            }

            order++;
        }
    }

    foreach (var ((_, figure, group), samples) in series)
    {
        Console.WriteLine($"{figure}\t{group}\t{string.Join(' ', samples.Select(s => s.ToString("0.00", CultureInfo.InvariantCulture)))}");
    }
}
finally
{
    SqliteConnection.ClearAllPools();
    folder.Delete(recursive: true);
}

internal sealed class StandingClock : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => BigLedger.Now;
}
