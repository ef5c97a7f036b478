namespace Dashboard.Runner.Tests;

public sealed class LogcapTests : IAsyncDisposable
{
    private const int MiB = 1 << 20;

    private readonly RentedMachine _machine = new();

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    [Fact]
    public async Task Below_the_cap_every_byte_is_appended()
    {
        await _machine.RunAsync("printf before >log; printf ' after' | " + Logcap("log", 1));

        Assert.Equal("before after", await LogAsync());
    }

    [Fact]
    public async Task Past_the_cap_it_says_so_and_keeps_the_first_bytes_and_the_last_mebibyte()
    {
        await _machine.RunAsync("seq 1 1000000 >all; cat all | " + Logcap("log", 2));

        var (all, log) = (await File.ReadAllTextAsync(Path.Combine(_machine.Home, "all"), TestContext.Current.CancellationToken), await LogAsync());
        Assert.StartsWith(all[..(2 * MiB)], log, StringComparison.Ordinal);
        Assert.EndsWith(all[^MiB..], log, StringComparison.Ordinal);
        Assert.Contains("\n[log] 2 MiB reached; only the last 1 MiB of what follows is kept\n", log, StringComparison.Ordinal);
        Assert.Contains($"[log] {all.Length - (3 * MiB)} bytes left out here\n", log, StringComparison.Ordinal);
        Assert.True(log.Length < (3 * MiB) + 200);
    }

    [Fact]
    public async Task It_ignores_term_and_ends_with_the_pipe()
    {
        _machine.Start("mkfifo pipe; exec 3<>pipe; (exec " + Logcap("log", 1) + " <pipe 3>&-) & echo one >&3; while [ ! -e go ]; do sleep 0.05; done; echo two >&3; exec 3>&-; wait; touch ended");
        await _machine.UntilAsync(() => File.Exists(Path.Combine(_machine.Home, "log")) && new FileInfo(Path.Combine(_machine.Home, "log")).Length > 0, "the first line");

        await _machine.SignalAsync("TERM", Assert.Single(_machine.Processes("logcap.py"), pid => RentedMachine.ProcFile(pid, "comm").StartsWith("python", StringComparison.Ordinal)));
        await File.WriteAllTextAsync(Path.Combine(_machine.Home, "go"), "", TestContext.Current.CancellationToken);

        await _machine.UntilAsync(() => File.Exists(Path.Combine(_machine.Home, "ended")), "it ended");
        Assert.Equal("one\ntwo\n", await LogAsync());
    }

    [Fact]
    public async Task What_a_trainer_says_that_fails_before_logcap_is_up_is_not_lost()
    {
        _machine.Tool("python3", "case $* in *logcap.py*) sleep 1 ;; esac; exec /usr/bin/python3 \"$@\"");
        _machine.Spec("""{"v":1,"attempt":1,"preset":"smoke","train":{"max_step":5}}""");

        _machine.StartSupervisor();

        Assert.Equal((64, "failed"), await _machine.EndAsync());
        Assert.Contains("train.max_step", _machine.Read("log"), StringComparison.Ordinal);
    }

    private static string Logcap(string file, int mib) => $"python3 -B '{RentedMachine.Scripts}/logcap.py' {file} {mib} starting";

    private Task<string> LogAsync() => File.ReadAllTextAsync(Path.Combine(_machine.Home, "log"), TestContext.Current.CancellationToken);
}
