using System.Text;
using CsCheck;
using Dashboard.Domain;
using Dashboard.Infrastructure.Logs;

namespace Dashboard.Infrastructure.Tests.Logs;

public sealed class MetricsStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("dashboard-metrics-").FullName;
    private readonly JobId _job = new(Guid.NewGuid());

    private MetricsStore Store => new(new DataDirectory(_root));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_loss_of_a_step_is_the_highest_attempts_and_an_unfinished_line_does_not_count()
    {
        await AppendAsync(1, """
            {"t":1.5,"type":"start","attempt":1,"total_steps":3}
            {"t":2,"type":"train","attempt":1,"step":1,"loss":2.5}
            {"t":3,"type":"train","attempt":1,"step":2,"loss":2.0}
            {"t":3,"type":"eval","attempt":1,"step":2,"eval_loss":2.1}

            """);
        await AppendAsync(2, "{\"t\":9,\"type\":\"train\",\"step\":2,\"loss\":1.9}\n{\"t\":9,\"type\":\"train\",\"step\":3,\"loss\":1.0");
        var series = await Store.LossSeriesAsync(_job, 100, Ct);
        Assert.Equal([new LossPoint(1, 2.5), new LossPoint(2, 1.9)], series.Train);
        Assert.Equal([new LossPoint(2, 2.1)], series.Eval);
        await AppendAsync(2, "5}\n");
        Assert.Equal(1.05, (await Store.LatestAsync(_job, MetricKind.Train, Ct))!.Loss);
        Assert.Equal(3, (await Store.LatestAsync(_job, MetricKind.Start, Ct))!["total_steps"]);
        Assert.Null(await Store.LatestAsync(_job, MetricKind.End, Ct));
    }

    [Fact]
    public async Task Lines_that_are_no_metrics_are_left_out()
    {
        await AppendAsync(1, string.Join('\n', "hello", "[]", "{}", "{\"type\":7}", "{\"type\":\"other\"}", "{\"type\":\"train\",\"step\":1,\"loss\":null,\"nonfinite\":\"loss\"}",
            "{\"type\":\"train\",\"step\":-1,\"loss\":1}", "{\"type\":\"train\",\"step\":2,\"loss\":1e999}", new string('x', 200_000), "{\"type\":\"train\",\"step\":3,\"loss\":0.5}", ""));
        Assert.Equal([new LossPoint(3, 0.5)], (await Store.LossSeriesAsync(_job, 100, Ct)).Train);
    }

    [Fact]
    public async Task Bytes_stored_already_are_dropped_and_a_gap_is_refused()
    {
        await AppendAsync(1, "abc");
        await Store.AppendAsync(_job, 1, 1, "bcd"u8.ToArray(), Ct);
        Assert.Equal(4, await Store.LengthAsync(_job, 1, Ct));
        await Assert.ThrowsAsync<LogGap>(() => Store.AppendAsync(_job, 1, 5, "x"u8.ToArray(), Ct));
        Assert.Equal(0, await Store.LengthAsync(_job, 2, Ct));
    }

    [Fact]
    public void A_thinned_line_keeps_its_ends_its_order_its_spikes_and_its_limit() =>
        Gen.Select(Gen.Double[0, 10].Array[1, 400], Gen.Int[4, 60]).Sample((losses, max) =>
        {
            var line = losses.Select((loss, step) => new LossPoint(step, loss)).ToList();
            var thin = MetricsStore.Thin(line, max);
            return thin.Count <= Math.Max(max, 1) && thin[0] == line[0] && thin[^1] == line[^1]
                && thin.Min(p => p.Loss).Equals(losses.Min()) && thin.Max(p => p.Loss).Equals(losses.Max())
                && thin.Zip(thin.Skip(1)).All(pair => pair.First.Step < pair.Second.Step);
        }, iter: 2_000);

    [Fact]
    public void Any_bytes_parse_to_a_metric_or_to_nothing() =>
        Gen.OneOf(Gen.Byte.Array[0, 60], Gen.String.Select(text => Encoding.UTF8.GetBytes($"{{\"type\":\"train\",\"step\":{text}}}")))
            .Sample(line => MetricPoint.Parse(line, 1) is null or { Kind: MetricKind.Train }, iter: 10_000);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private async Task AppendAsync(int attempt, string text) =>
        await Store.AppendAsync(_job, attempt, await Store.LengthAsync(_job, attempt, Ct), Encoding.UTF8.GetBytes(text), Ct);
}
