using Dashboard.Domain.Costs;
using Dashboard.Domain.Estimates;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Tests.Estimates;

/// <summary>
/// Jobs of a team over six weeks on hosts whose truth no ranking reads: real wires, boots, losses and paces are drawn from
/// <c>hosts.json</c>. Each job is started twice on the same offers: by expected total, which learns from its own runs alone,
/// and by the cheapest hour. What goes wrong goes wrong for both; a failed attempt goes on with the next offer of its list.
/// </summary>
public sealed class RankingTests(ITestOutputHelper output)
{
    private const int Seeds = 20;
    private const int Jobs = 500;
    private const double MostAttempts = 12;
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan GivenUp = TimeSpan.FromMinutes(6); // a boot that does not come
    private static readonly (ModelShape Shape, double Gigabytes)[] Models =
        [(Published.Qwen25Of1B, 3.1), (Published.Llama3Of3B, 6.4), (Published.Llama2Of7B, 13.5), (Published.Llama3Of8B, 16.1), (Published.Llama2Of13B, 26.0)];

    [Fact]
    public void Where_the_expected_total_chooses_otherwise_than_the_cheapest_hour_it_is_cheaper_in_four_of_five_jobs()
    {
        var all = Compare("any card that fits", oneCard: false);
        Assert.InRange(all.Cheaper, 0.8, 1);

        // Not only because slow cards are cheap by the hour: who has settled on a card saves as well.
        Assert.True(Compare("one card", oneCard: true).SavedAtLeast > 0);
    }

    private (double Cheaper, double SavedAtLeast) Compare(string among, bool oneCard)
    {
        var (differ, cheaper, savings) = (0, 0, new List<double>());
        foreach (var seed in Enumerable.Range(1, Seeds))
        {
            var (ours, theirs) = (0.0, 0.0);
            foreach (var (byTotal, byHour) in Team(seed, oneCard))
            {
                differ++;
                cheaper += byTotal < byHour ? 1 : 0;
                (ours, theirs) = (ours + byTotal, theirs + byHour);
            }

            savings.Add(1 - (ours / theirs));
        }

        var (share, mean) = ((double)cheaper / differ, savings.Average());
        var margin = 2 * Math.Sqrt(savings.Sum(s => Math.Pow(s - mean, 2)) / (Seeds - 1) / Seeds);
        Printed.Line(output, $"expected total against the cheapest hour, {among}, {Seeds} x {Jobs} jobs: {differ} choices differ, cheaper in {share:P1}, {mean:P1} saved ({mean - margin:P1} to {mean + margin:P1})");
        Assert.True(differ > Seeds * Jobs / 10, $"Only {differ} choices differ.");
        return (share, mean - margin);
    }

    /// <summary>Realised USD of each job whose first choices differ.</summary>
    private static IEnumerable<(double ByTotal, double ByHour)> Team(int seed, bool oneCard)
    {
        var (dice, hosts) = (new Random(seed), SimulatedHost.Draw(new Random(seed)));
        var (runs, paces, truth) = (new Dictionary<string, List<HostRun>>(), new List<PaceRun>(), hosts.ToDictionary(h => h.Offer.MachineId));
        for (var number = 0; number < Jobs; number++)
        {
            var now = Start.AddHours(number * SimulatedHost.HoursBetweenJobs);
            var job = SimulatedJob.Draw(seed, number, dice);
            var offers = dice.GetItems([.. hosts], SimulatedHost.OffersPerJob).Distinct().Where(h => h.Offer.VramMb >= job.VramMb).ToList();
            if (oneCard && offers.Count > 0)
            {
                var card = offers[dice.Next(offers.Count)].Offer.GpuName;
                offers = offers.FindAll(h => h.Offer.GpuName == card);
            }

            if (offers.Count < 2)
            {
                continue;
            }

            var cards = offers.Select(h => h.Offer.MachineId).Where(runs.ContainsKey).ToDictionary(machine => machine, machine => HostScorecard.Of(runs[machine], now)!);
            var own = new OwnRuns(cards, paces, now);
            var byTotal = OfferRanking.ByTotal(offers.Select(h => own.Applied(h.Offer)).Select(o => (o, ExpectedTotal.Of(job.On(truth[o.MachineId].Gpu), o)))).Select(q => truth[q.Offer.MachineId]).ToList();
            var byHour = offers.OrderBy(h => h.Offer.Rate).ThenBy(h => h.Offer.Id, StringComparer.Ordinal).ToList();
            var cost = job.Realise(byTotal, (host, run, speed) =>
            {
                (runs.TryGetValue(host.Offer.MachineId, out var known) ? known : runs[host.Offer.MachineId] = []).Add(run with { At = now });
                if (speed is { } pace)
                {
                    paces.Add(new PaceRun(host.Offer.MachineId, host.Offer.GpuName, now, pace));
                }
            });
            if (byTotal[0] != byHour[0])
            {
                yield return (cost, job.Realise(byHour, (_, _, _) => { }));
            }
        }
    }

    private sealed record SimulatedJob(int Seed, int Number, ModelShape Model, double Gigabytes, double Tokens, double ImageGb, int VramMb)
    {
        private static readonly TrainingMethod Lora = new();

        public static SimulatedJob Draw(int seed, int number, Random dice)
        {
            var (shape, gigabytes) = Models[dice.Next(Models.Length)];
            var tokens = 2e6 * Math.Exp(1.2 * dice.NextDouble() * dice.Next(1, 4));
            var plan = new VramPlan(16, AdapterSize.AllLinear, 1, 2048) { Weights = dice.Next(2) == 0 ? WeightFormat.Nf4 : WeightFormat.Bf16 };
            return new SimulatedJob(seed, number, shape, gigabytes, tokens, 4 + (8 * dice.NextDouble()), (int)((VramEstimator.Estimate(shape, plan).Total / 0.94e6) + 300));
        }

        public Workload On(GpuPower gpu) => new((decimal)ImageGb, TrainingTimeEstimator.Estimate(Model, Lora, gpu, new TrainingLoad(Tokens, Tokens / 16_384)).Expected)
        {
            DownloadGb = (decimal)Gigabytes, CollectGb = 0.3m, IsEstimated = true,
        };

        /// <summary>USD until an attempt ends well.</summary>
        public double Realise(IReadOnlyList<SimulatedHost> order, Action<SimulatedHost, HostRun, double?> tell)
        {
            var cost = 0.0;
            for (var attempt = 0; attempt < MostAttempts; attempt++)
            {
                var host = order[attempt % order.Count];
                var dice = new Random((((((Seed * Jobs) + Number) * 997) + int.Parse(host.Offer.Id, System.Globalization.CultureInfo.InvariantCulture)) * 31) + (attempt / order.Count)); // the same for both
                var (gpu, disk) = ((double)host.Offer.GpuRate.Usd, (double)host.Offer.DiskRate.Usd);
                if (dice.NextDouble() < host.BootFails)
                {
                    cost += disk * GivenUp.TotalHours;
                    tell(host, new HostRun(default, null, StopReason.StartFailed), null);
                    continue;
                }

                var wire = Math.Max(5, host.Mbps);
                var pace = host.Pace * SimulatedHost.PaceOfRun(dice);
                var boot = (host.BootSeconds + (8000 * ImageGb / wire) + (2500 * ImageGb / 150)) / 3600;
                var download = 8000 * Gigabytes / wire / 3600;
                var estimated = On(host.Gpu).Running.TotalHours;
                var working = download + (estimated * pace) + (8000 * 0.3 / (wire / 2) / 3600);
                var lasts = -Math.Log(1 - dice.NextDouble()) / host.LossesPerHour;
                var billed = Math.Min(working, lasts);
                cost += (gpu * billed) + (disk * (boot + billed)) + ((double)host.Offer.DownloadPerGb.Usd * (ImageGb + Gigabytes));
                var ready = TimeSpan.FromHours(boot);
                if (lasts >= working)
                {
                    tell(host, new HostRun(default, ready, StopReason.Finished, wire), 1 / pace);
                    return cost + ((double)host.Offer.UploadPerGb.Usd * 0.3);
                }

                tell(host, new HostRun(default, ready, StopReason.HostLost, lasts > download ? wire : null), null);
            }

            return cost;
        }
    }
}
