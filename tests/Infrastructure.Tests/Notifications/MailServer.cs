using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Dashboard.Infrastructure.Tests.Notifications;

/// <param name="Login">Who signed in; null: nobody had to.</param>
/// <param name="Data">As it came over the wire.</param>
internal sealed record Mail(string From, IReadOnlyList<string> To, string? Login, string Data);

/// <summary>A real mail server, Debian's python3-aiosmtpd, on a port of its own.</summary>
internal sealed class MailServer : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Process _process;

    private MailServer(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    public static async Task<MailServer> StartAsync(bool login = false)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", ["-W", "ignore", Path.Combine(AppContext.BaseDirectory, "Notifications", "mail_server.py"), .. login ? ["--login"] : Array.Empty<string>()])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false,
        };
        var process = Process.Start(start)!;
        return new MailServer(process, int.Parse((await process.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture));
    }

    /// <summary>The next mail gets this answer and is not taken.</summary>
    public async Task AnswerAsync(string answer)
    {
        await _process.StandardInput.WriteLineAsync(answer);
        await _process.StandardInput.FlushAsync();
        Assert.Equal("noted", await _process.StandardOutput.ReadLineAsync());
    }

    /// <summary>The next mail that it took.</summary>
    public async Task<Mail> TakenAsync() => JsonSerializer.Deserialize<Mail>((await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience))!, Json)!;

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
